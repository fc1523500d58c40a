package dial

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/keys"
)

// addCertificates puts candidates with a certificate ahead of all others, as ssh does: those that
// CertificateFile names, then those beside key files (FILE-cert.pub), then the agent's. files are
// the key files of the options, and last is what worked last for this host: if that was a key, the
// certificates that nobody named come after it.
func (r *keyRing) addCertificates(files []string, last string) {
	var list []*candidate
	add := func(of *candidate, cert *ssh.Certificate, source string) {
		c := *of
		c.file, c.source = cmp.Or(of.file, of.source), source
		c.cert, c.fingerprint = cert, keys.Fingerprint(cert.Key)
		if c.identity != nil {
			id := *c.identity
			id.Cert = cert
			c.identity = &id
		}
		for _, have := range list {
			if bytes.Equal(have.cert.Marshal(), cert.Marshal()) {
				return
			}
		}
		list = append(list, &c)
	}
	for _, file := range r.options.CertificateFiles {
		cert, err := keys.LoadCertificate(file)
		if err != nil {
			r.named = true
			r.unusableFile(err)
			continue
		}
		of := r.holder(cert.Key)
		if of == nil {
			r.messages.Say(options.LevelInfo, "the certificate %s is left out: its key is in no "+
				"key file that was named, and in no agent", file)
			continue
		}
		add(of, cert, file)
	}
	named := len(list)
	for _, file := range files {
		name := strings.TrimSuffix(file, ".pub") + "-cert.pub"
		cert, err := keys.LoadCertificate(name)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				r.messages.Debug("the certificate beside a key is left out: %v", err)
			}
			continue
		}
		of := r.holder(cert.Key)
		if of == nil {
			r.messages.Debug("the certificate %s is left out: it is for another key", name)
			continue
		}
		add(of, cert, name)
	}
	for i := range r.agent {
		id := &r.agent[i]
		if id.Cert != nil && (!r.options.IdentitiesOnly || r.holder(id.Public) != nil) {
			add(&candidate{public: id.Public, identity: id}, id.Cert,
				"agent: "+shownComment(id.Comment))
		}
	}
	if slices.ContainsFunc(r.list, func(c *candidate) bool { return c.name() == last }) {
		r.list = slices.Concat(list[:named], r.list, list[named:])
		return
	}
	r.list = slices.Concat(list, r.list)
}

// holder is a candidate that can sign for a certificate's key, nil if there is none.
func (r *keyRing) holder(key ssh.PublicKey) *candidate {
	encoded := key.Marshal()
	for _, c := range r.list {
		if bytes.Equal(c.public.Marshal(), encoded) {
			return c
		}
	}
	for i := range r.agent {
		if bytes.Equal(r.agent[i].Public.Marshal(), encoded) {
			return &candidate{public: key, identity: &r.agent[i]}
		}
	}
	return nil
}

// keyType is the type of what a candidate shows: of its certificate, if it has one.
func (c *candidate) keyType() string {
	if c.cert != nil {
		return c.cert.Type()
	}
	return c.public.Type()
}

// name is how a candidate is remembered as the one that worked.
func (c *candidate) name() string {
	if c.cert != nil {
		return "certificate of " + c.fingerprint
	}
	return c.fingerprint
}

// doubt is why a daemon may not take a candidate's certificate, "" if it looks right. Which name is
// needed the daemon alone knows: its settings may want another than the user's (CE3).
func (c *candidate) doubt(user string) string {
	if c.cert == nil {
		return ""
	}
	shown := func(seconds uint64) string {
		return time.Unix(int64(seconds), 0).Format("2006-01-02T15:04:05") // as ssh-keygen -L does
	}
	now := uint64(time.Now().Unix())
	switch {
	case c.cert.CertType != ssh.UserCert:
		return "it is a host's"
	case now >= c.cert.ValidBefore:
		return "it expired on " + shown(c.cert.ValidBefore)
	case now < c.cert.ValidAfter && c.cert.ValidAfter > math.MaxInt64:
		return "it is never valid"
	case now < c.cert.ValidAfter:
		return "it is not valid before " + shown(c.cert.ValidAfter)
	case len(c.cert.ValidPrincipals) == 0:
		return "it names no user"
	case !slices.Contains(c.cert.ValidPrincipals, user):
		return "it does not name " + protocol.Quote(user)
	}
	return ""
}
