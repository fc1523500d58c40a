package knownhosts

import (
	"bytes"
	"errors"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol/keys"
)

// Authority is what lines with @cert-authority say about a host's certificate.
type Authority struct {
	Place       // of the line by whose key the certificate holds
	Why   error // why it does not hold; nil: it does
}

// Certified judges a host's certificate (CE7). As in ssh, a line counts that names the host on its
// port, or the host alone. The verdict's status is Revoked if a @revoked line holds the
// certificate's key or its authority's, and Unknown otherwise.
func (db *DB) Certified(host string, port int, cert *ssh.Certificate, now time.Time) (by Authority,
	v Verdict, err error) {
	name, err := Name(host, port)
	if err != nil {
		return by, v, err
	}
	bare, _ := plainName(host)
	key, authority := cert.Key.Marshal(), cert.SignatureKey.Marshal()
	by.Why = errors.New("no line with @cert-authority has its authority for this host")
	found := false
	for i := range db.entries {
		e := &db.entries[i]
		ours := bytes.Equal(e.encoded, authority)
		switch {
		case e.marker == revoked && (ours || bytes.Equal(e.encoded, key)):
			v = Verdict{Name: name, Key: cert.Key, Files: db.files}
			if ours {
				v.Key = cert.SignatureKey
			}
			v.decide(Revoked, e)
			return by, v, nil
		case e.marker == authorityOf && ours && !found && (e.matches(name) || e.matches(bare)):
			found = true
			by.Place = e.place()
		}
	}
	if found {
		by.Why = keys.CheckCertificate(cert, ssh.HostCert, now, nil, func(principal string) bool {
			return principal == bare
		})
	}
	return by, v, nil
}
