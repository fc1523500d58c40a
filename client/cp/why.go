package cp

import (
	"errors"

	"minissh/client/report"
	"minissh/client/run"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// why says in words what broke a transfer off.
func (s *side) why(err, lost error) error {
	host := s.conn.Options.Alias
	const again = goesOn + " where it stopped"
	var link *mux.LinkLost
	var broken *protocol.Violation
	switch {
	case errors.As(err, &broken):
		return report.Failed(err, "", "%s breaks the protocol: %v", host, broken)
	case s.in.Reason != nil && s.in.Exit == nil && s.in.Reason.Code != "":
		said := &protocol.RemoteError{Reason: *s.in.Reason}
		switch said.Code {
		case protocol.CodeUnknownService:
			return report.Failed(said, "rsync -e minissh, or scp -O -S minissh, may do",
				"%s has no service for files: %v", host, said)
		case protocol.CodeNoDirectory:
			there := "" // at the prompt, a line runs there
			if s.own {
				there = "minissh " + report.Target(s.conn.Options) + " "
			}
			return report.Failed(said, there+"mkdir FOLDER makes one", "%s: %s", host,
				printable(said.Message))
		case protocol.CodeServiceRefused, protocol.CodeBadRequest, protocol.CodeTooManyCommands:
			return report.Failed(said, "", "%s: %s", host, printable(said.Message))
		case protocol.CodeShuttingDown:
			return report.Failed(said, again, "minisshd on %s is being stopped", host)
		}
		return report.Failed(said, "", "%s gave up: %v", host, said)
	case errors.As(lost, &link), errors.Is(lost, mux.ErrRestarted), gone(lost):
		return report.Failed(lost, again, "%v", run.SessionOver(host, lost))
	case lost != nil:
		return report.Failed(lost, again, "the session with %s ended: %v", host, lost)
	}
	return report.Failed(err, again, "the transfer with %s broke off: %v", host, err)
}

// gone says whether the daemon answered a new link that its session is over.
func gone(err error) bool {
	said, ok := errors.AsType[*protocol.RemoteError](err)
	return ok && (said.Code == protocol.CodeSessionExpired ||
		said.Code == protocol.CodeSessionEnded)
}
