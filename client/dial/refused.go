package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"

	"minissh/client/knownhosts"
	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/transport"
)

// explain says in words what ended a handshake or a login.
func (d *Dialer) explain(err error) error {
	var said *protocol.RemoteError
	var record tls.RecordHeaderError
	var failure *report.Failure
	var unknown *unknownHost
	var untrusted *knownhosts.Refusal
	host := d.Options.Alias
	switch {
	case errors.As(err, &failure), errors.As(err, &unknown), errors.As(err, &untrusted),
		errors.As(err, new(*unsigned)):
		return err
	case errors.As(err, &said):
		switch {
		case said.Code == protocol.CodeKeyNotAuthorized && d.Options.Socket != "":
			return report.Failed(err, "the daemon's log says why",
				"%s@%s: Permission denied: through a socket you log in as yourself, if that "+
					"account may log in, and only root as another", d.Options.User, host)
		case said.Code == protocol.CodeKeyNotAuthorized:
			return err // another key may work
		}
		return report.Failed(err, remoteHint(said.Code), "%s refused: %v", host, said)
	case errors.As(err, &record):
		return report.Failed(err,
			fmt.Sprintf("what listens there is no minisshd; the default port is %d, -p chooses "+
				"another", protocol.DefaultPort),
			"%s does not speak TLS: it answered %s", host,
			protocol.Quote(string(record.RecordHeader[:])))
	case transport.IsBusy(err):
		return report.Failed(err, "wait a moment and try again",
			"%s has too many unauthenticated connections", host).Of(report.ClassRefused)
	case errors.Is(err, context.DeadlineExceeded):
		return report.Failed(err, "",
			"%s did not finish the handshake in time: Connection timed out", host)
	case errors.Is(err, context.Canceled):
		return report.Failed(err, "", "interrupted")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return report.Failed(err, "the daemon's log says why",
			"%s closed the connection before letting us in", host)
	}
	return report.Failed(err, "", "the connection to %s failed: %v", host, err)
}

func remoteHint(code protocol.Code) string {
	switch code {
	case protocol.CodeTooManySessions:
		return "wait a moment and try again, or end a session of yours before: minisshd who, " +
			"there, lists them; the daemon's limits are --max-sessions and --max-sessions-per-user"
	case protocol.CodeTooManyFailures:
		return "wait; the daemon's --penalty-exempt spares a network from that"
	case protocol.CodeUnsupportedProtocol:
		return "use a minissh and a minisshd of the same version"
	case protocol.CodeShuttingDown:
		return "wait until it has started again"
	}
	return ""
}

// notAuthorized is what to say when none of our keys may log in. more is what the daemon has said
// of one of them, "" if nothing but that.
func (d *Dialer) notAuthorized(ring *keyRing, last *candidate, more string) error {
	o := d.Options
	advice := fmt.Sprintf("add your public key to ~/.ssh/authorized_keys of %s there; yours is %s",
		o.User, last.publicLine())
	if o.Socket == "" {
		advice = fmt.Sprintf("minisshd pair, as %s on %s, then minissh pair %s here; or %s", o.User,
			o.Alias, report.Target(o), advice)
		advice += "; if it is listed already, the account may be locked or not served there: its " +
			"admin sees why with journalctl -u minisshd"
	}
	for _, c := range ring.list {
		if c.doubt(o.User) == "" {
			continue
		}
		file := "KEY.pub"
		if beside, is := strings.CutSuffix(c.source, "-cert.pub"); is {
			file = beside + ".pub"
		}
		advice = fmt.Sprintf("ssh-keygen -s CA_KEY -I NAME -n %s %s, by the authority, makes "+
			"another certificate; or %s", o.User, file, advice)
		break
	}
	if more != "" {
		more, advice = "; the other side says "+protocol.Quote(more), "if that is not why: "+advice
	}
	return report.Failed(nil, advice,
		"%s@%s: Permission denied (publickey); keys tried or offered: %s%s", d.Options.User,
		d.Options.Alias, ring.sources(), more).Of(report.ClassAuth)
}
