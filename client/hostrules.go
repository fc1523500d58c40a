package client

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/crypto/ssh"

	"minissh/client/knownhosts"
	"minissh/client/options"
	"minissh/protocol"
)

// forbidden is why the options forbid a host's key, whatever known_hosts says; nil if they do not. What cannot be judged is forbidden.
func (d *Dialer) forbidden(key ssh.PublicKey) error {
	o := d.Options
	switch {
	case !o.AcceptsHostKey(key.Type()):
		return fail(nil, "", "%s shows a host key of the type %s, which HostKeyAlgorithms forbids", o.Alias, key.Type())
	case tooSmall(key, o.RequiredRSASize):
		return fail(nil, "", "%s shows an RSA host key of %d bits; RequiredRSASize wants %d", o.Alias, rsaBits(key), o.RequiredRSASize)
	}
	file := o.RevokedHostKeys
	if file == "" {
		return nil
	}
	revoked, err := knownhosts.RevokedIn(file, key)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return fail(err, "", "no host key is accepted, since the file of RevokedHostKeys cannot be read: %s: %v", protocol.Quote(file), err)
	}
	if revoked {
		d.tell(knownhosts.RevokedWarningIn(file, key))
		return &knownhosts.Refusal{Status: knownhosts.Revoked}
	}
	return nil
}

// rsaBits is the size of an RSA key, 0 for another.
func rsaBits(key ssh.PublicKey) int {
	if held, ok := key.(ssh.CryptoPublicKey); ok {
		if public, ok := held.CryptoPublicKey().(*rsa.PublicKey); ok {
			return public.N.BitLen()
		}
	}
	return 0
}

func tooSmall(key ssh.PublicKey, least int) bool {
	bits := rsaBits(key)
	return bits > 0 && bits < least
}

// checkAddress is CheckHostIP: known_hosts may say that the address has another key.
func (d *Dialer) checkAddress(address string, key ssh.PublicKey, shown *offer) error {
	if o := d.Options; !o.CheckHostIP || o.HostKeyAlias != "" || address == "" {
		return nil
	}
	verdict, err := shown.known.Check(address, d.Options.Port, "", key)
	if err != nil {
		return fail(err, "", "%v", err)
	}
	if verdict.Status != knownhosts.Changed {
		return nil
	}
	decision, err := knownhosts.Decide(knownhosts.Strict, verdict, true, nil)
	d.tell(decision.Messages)
	return err
}

// onlyOffered leaves out the keys of ours that the options forbid to show.
func (d *Dialer) onlyOffered(ring *keyRing) {
	o, list := d.Options, ring.list[:0]
	for _, c := range ring.list {
		why := ""
		switch {
		case !o.OffersKey(c.public.Type()):
			why = "PubkeyAcceptedAlgorithms forbids keys of the type " + c.public.Type()
		case tooSmall(c.public, o.RequiredRSASize):
			why = fmt.Sprintf("RequiredRSASize wants %d bits", o.RequiredRSASize)
		default:
			list = append(list, c)
			continue
		}
		ring.named = true
		d.say(options.LevelInfo, "the key %s (%s) is left out: %s", c.source, c.fingerprint, why)
	}
	ring.list = list
}
