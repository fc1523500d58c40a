package dial

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"

	"golang.org/x/crypto/ssh"

	"minissh/client/knownhosts"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol"
	"minissh/protocol/keys"
)

// unknownHost ends an attempt whose host key the user must be asked about.
type unknownHost struct{ verdict knownhosts.Verdict }

func (*unknownHost) Error() string        { return "Host key verification failed." }
func (*unknownHost) FailureClass() string { return string(report.ClassHostKey) }

// hostCheck judges the key that a host shows in one handshake.
type hostCheck struct {
	*login
	known *knownhosts.DB // nil if the daemon has told us its key itself
	// to be written when the host has proved that it holds the key; may be nil
	add  *knownhosts.Verdict
	seen ssh.PublicKey // what the host has shown last
	// KnownHostsCommand has been run
	asked bool
}

func (l *login) hostCheck() *hostCheck {
	c := &hostCheck{login: l}
	if l.Host == nil {
		c.known = l.Shared.knownHosts(l.Options, slices.Concat(l.Options.UserKnownHostsFiles,
			l.Options.GlobalKnownHostsFiles))
	}
	return c
}

// judge decides about the key that a host shows, in the middle of the handshake: the host has not
// yet proved that it holds the key, so nothing is written here. An *unknownHost error means that
// the user must be asked.
func (c *hostCheck) judge(key ssh.PublicKey, cert *ssh.Certificate, from net.Addr) error {
	c.seen = key
	if c.Host != nil {
		if !bytes.Equal(c.Host.Marshal(), key.Marshal()) {
			return report.Failed(nil, "", "the daemon shows another key than it told").
				Of(report.ClassHostKey)
		}
		return nil
	}
	o := c.Options
	if err := c.moreKeys(key); err != nil {
		return err
	}
	if holds, err := c.certified(cert); holds || err != nil {
		return err
	}
	verdict, err := c.verdict(key, from)
	if err == nil && c.ownMachine(from) && verdict.Status != knownhosts.Revoked {
		c.Messages.Debug("any host key is accepted of this machine " +
			"(NoHostAuthenticationForLocalhost)")
		return nil
	}
	if err == nil {
		err = c.checkAddress(key, from)
	}
	if err != nil {
		return err
	}
	if c.pinned != nil {
		if !bytes.Equal(c.pinned.Marshal(), key.Marshal()) {
			return report.Failed(nil, "try again; if it happens again, somebody may be in between",
				"%s showed another key than the one that you were asked about", o.Alias).
				Of(report.ClassHostKey)
		}
		// not yet written: our first key may have been refused since
		if verdict.Status == knownhosts.Unknown {
			c.add = &verdict
			return nil
		}
	}
	policy := knownhosts.Policy(o.StrictHostKeyChecking)
	if verdict.Status == knownhosts.Unknown && policy == knownhosts.Ask && !o.BatchMode &&
		c.Ask != nil {
		return &unknownHost{verdict}
	}
	if c.pictured { // with another key of ours
		verdict.Shown.Visual = false
	}
	decision, err := knownhosts.Decide(policy, verdict, true, nil)
	c.pictured = true
	c.Messages.Announce(decision.Messages...)
	if err != nil {
		return c.nobodyAsked(verdict, err)
	}
	if decision.Add {
		c.add = &verdict
	}
	return nil
}

// verdict is what known_hosts says about a key that the options allow.
func (c *hostCheck) verdict(key ssh.PublicKey, from net.Addr) (knownhosts.Verdict, error) {
	if err := c.forbidden(key); err != nil {
		return knownhosts.Verdict{}, err
	}
	host, port := c.Options.KnownHostsName()
	address, _, _ := net.SplitHostPort(from.String())
	verdict, err := c.known.Check(host, port, address, key)
	if err != nil {
		return verdict, report.Failed(err, "", "%v", err)
	}
	verdict.Shown = knownhosts.Shown{Hash: c.Options.FingerprintHash,
		Visual: c.Options.VisualHostKey}
	return verdict, nil
}

// ownMachine says whether NoHostAuthenticationForLocalhost accepts whatever key comes from there,
// as in ssh: a home directory on many machines has many hosts of the name localhost.
func (c *hostCheck) ownMachine(from net.Addr) bool {
	at, ok := from.(*net.TCPAddr)
	return c.Options.NoHostAuthenticationForLocalhost && c.Options.HostKeyAlias == "" && ok &&
		at.IP.IsLoopback()
}

// checkAddress is CheckHostIP: known_hosts may say that the address has another key.
func (c *hostCheck) checkAddress(key ssh.PublicKey, from net.Addr) error {
	address, _, _ := net.SplitHostPort(from.String())
	if o := c.Options; !o.CheckHostIP || o.HostKeyAlias != "" || address == "" {
		return nil
	}
	verdict, err := c.known.Check(address, c.Options.Port, "", key)
	if err != nil {
		return report.Failed(err, "", "%v", err)
	}
	if verdict.Status != knownhosts.Changed {
		return nil
	}
	return c.refuse(verdict)
}

// refuse is what to say about a key that every policy refuses.
func (c *hostCheck) refuse(verdict knownhosts.Verdict) error {
	decision, err := knownhosts.Decide(knownhosts.Strict, verdict, true, nil)
	c.Messages.Announce(decision.Messages...)
	return err
}

// remember writes a new host's key to the user's file, once the host has proved that it holds it.
// The error has been shown to the user.
func (c *hostCheck) remember() error {
	o := c.Options
	if c.add == nil || len(o.UserKnownHostsFiles) == 0 {
		return nil
	}
	host, port := o.KnownHostsName()
	file := o.UserKnownHostsFiles[0]
	err := knownhosts.Append(file, host, port, c.add.Key, o.HashKnownHosts)
	if err != nil {
		c.Messages.Announce(knownhosts.AddFailed(file))
		c.Messages.Say(options.LevelInfo, "the host's key was not written: %v", err)
	} else {
		c.Shared.added()
		c.Messages.Announce(knownhosts.Added(*c.add))
	}
	return err
}

// askAboutHost puts ssh's question. No connection is open meanwhile.
func (l *login) askAboutHost(u *unknownHost) error {
	var decision knownhosts.Decision
	var err error
	if l.AskHost != nil {
		err = l.AskHost(u.verdict)
	} else {
		decision, err = knownhosts.Decide(knownhosts.Ask, u.verdict, false, l.Ask.Line)
	}
	l.Messages.Announce(decision.Messages...)
	if errors.Is(err, terminal.ErrNobodyToAsk) {
		return l.nobodyAsked(u.verdict, err)
	}
	return err
}

// nobodyAsked adds to the refusal of an unknown host what to type if nobody can be asked: in batch
// mode, without a terminal, with strict checking.
func (l *login) nobodyAsked(verdict knownhosts.Verdict, err error) error {
	var refusal *knownhosts.Refusal
	if !errors.As(err, &refusal) || refusal.Status != knownhosts.Unknown {
		return err
	}
	refusal.Advice = fmt.Sprintf("its %s key is %s, which minisshd shows there when it starts to "+
		"listen; if it is the same: minissh -o StrictHostKeyChecking=accept-new %s, or connect "+
		"once from a terminal",
		keys.TypeName(verdict.Key), keys.Fingerprint(verdict.Key), report.Target(l.Options))
	return err
}

// forbidden is why the options forbid a host's key, whatever known_hosts says; nil if they do not.
// What cannot be judged is forbidden.
func (c *hostCheck) forbidden(key ssh.PublicKey) error {
	o := c.Options
	if !o.AcceptsHostKey(key.Type()) {
		return report.Failed(nil, "",
			"%s shows a host key of the type %s, which HostKeyAlgorithms forbids", o.Alias,
			key.Type()).Of(report.ClassHostKey)
	}
	return c.revoked(key)
}

// revoked is the rest of forbidden, for a key or a certificate.
func (c *hostCheck) revoked(shown ssh.PublicKey) error {
	o, key := c.Options, shown
	if cert, ok := shown.(*ssh.Certificate); ok {
		key = cert.Key
	}
	if tooSmall(key, o.RequiredRSASize) {
		return report.Failed(nil, "",
			"%s shows an RSA host key of %d bits; RequiredRSASize wants %d", o.Alias, rsaBits(key),
			o.RequiredRSASize).Of(report.ClassHostKey)
	}
	file := o.RevokedHostKeys
	if file == "" {
		return nil
	}
	revoked, err := knownhosts.RevokedIn(file, shown)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return report.Failed(err, "",
			"no host key is accepted, since the file of RevokedHostKeys cannot be read: %s: %v",
			protocol.Quote(file), err).Of(report.ClassHostKey)
	}
	if revoked {
		c.Messages.Announce(knownhosts.RevokedWarningIn(file, key)...)
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
