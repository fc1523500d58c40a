package dial

import (
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/client/knownhosts"
	"minissh/client/options"
	"minissh/client/report"
)

// certified says whether a host's certificate makes its key known (CE7). One that does not counts
// as none: then its key is looked for alone. An error ends the connection: something is revoked.
func (c *hostCheck) certified(cert *ssh.Certificate) (holds bool, err error) {
	if cert == nil {
		return false, nil
	}
	o := c.Options
	host, port := o.KnownHostsName()
	by, verdict, err := c.known.Certified(host, port, cert, time.Now())
	if err != nil {
		return false, report.Failed(err, "", "%v", err)
	}
	switch {
	case verdict.Status == knownhosts.Revoked:
		return false, c.refuse(verdict)
	case by.Why != nil:
		level := options.LevelDebug1
		if by.File != "" && !c.doubted { // that is a surprise: an authority for the host made it
			level, c.doubted = options.LevelInfo, true
		}
		c.Messages.Say(level, "the host's certificate does not count: %v", by.Why)
		return false, nil
	case !o.AcceptsHostKey(cert.Type()):
		c.Messages.Debug("the host's certificate does not count: HostKeyAlgorithms forbids %s",
			cert.Type())
		return false, nil
	}
	if err := c.revoked(cert); err != nil {
		return false, err
	}
	c.Messages.Debug("the host's certificate is by an authority in %s:%d", by.File, by.Line)
	return true, nil
}
