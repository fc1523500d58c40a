package authorized

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// ErrNotListed says that a key is not in the file.
var ErrNotListed = errors.New("the key is not listed")

// Find finds what a key may do for a client at an address, zero for a Unix socket. Of several lines
// with the key, the first one that admits the client now counts, as in sshd. The error is for the
// log: ErrNotListed, or why none of the key's lines admits the client.
func (f *File) Find(key ssh.PublicKey, addr netip.Addr, now time.Time) (*Entry, error) {
	encoded := key.Marshal()
	var refused []string
	for _, entry := range f.Entries {
		if !bytes.Equal(entry.Key.Marshal(), encoded) {
			continue
		}
		why := entry.refuses(addr, now)
		if why == "" {
			return entry, nil
		}
		refused = append(refused, entry.Where()+": "+why)
	}
	if refused == nil {
		return nil, ErrNotListed
	}
	return nil, errors.New(strings.Join(refused[:min(len(refused), 8)], "; "))
}

// refuses says why a line does not admit a client, "" if it does.
func (r *Restrictions) refuses(addr netip.Addr, now time.Time) string {
	switch {
	case r.expired(now):
		return "the key expired at " + r.Expiry.Format(time.RFC3339)
	case !r.From.Allows(addr) && !addr.IsValid():
		return "from= does not allow Unix sockets"
	case !r.From.Allows(addr):
		return fmt.Sprintf("from= does not allow %v", addr)
	}
	return ""
}

// expired is true from the second after the expiry-time on, as in sshd.
func (r *Restrictions) expired(now time.Time) bool {
	return !r.Expiry.IsZero() && now.Unix() > r.Expiry.Unix()
}

// AnyUsable says whether anyone could log in from anywhere: a daemon does not listen beyond
// loopback while nobody could.
func (f *File) AnyUsable(now time.Time) bool {
	return slices.ContainsFunc(f.Entries, func(e *Entry) bool { return e.Usable(now) })
}

// Usable says whether the key could be used from anywhere now.
func (r *Restrictions) Usable(now time.Time) bool { return !r.expired(now) && !r.From.never() }
