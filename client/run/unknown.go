package run

import (
	"errors"
	"fmt"

	"minissh/client/dial"
	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Known is what is known of a command whose session is over (RE8).
type Known struct {
	Host   string
	Sent   bool // the request was
	Opened bool // the daemon has answered that it was started
	Long   bool // it may be longer than a system takes
}

// KnownOf is what is known of the command of a channel that we opened; nil: it could not be opened.
func KnownOf(conn *dial.Connection, ch *mux.Channel) Known {
	k := Known{Host: conn.Options.Alias}
	if ch != nil {
		k.Sent, k.Opened = ch.Began()
		k.Long = ch.Request().Length > 0
	}
	return k
}

// NotLoggedIn is the error of a login over which a request may have gone out: ch is its channel;
// nil: there was none. If it has, and the daemon has not refused it, nobody knows whether it was
// begun (RE5), and it must not be asked for once more.
func NotLoggedIn(ch *mux.Channel, err error) error {
	if ch == nil {
		return err
	}
	if sent, _ := ch.Began(); !sent || report.ClassOf(err, false) != report.ClassUnreachable {
		return err // it stayed here, or somebody has judged it
	}
	return report.Failed(err, report.Hint(err), "%v; nobody knows whether the command was started",
		err).Of(report.ClassLost)
}

// fate is what became of the command. ran says what becomes of one that was started.
func (k Known) fate(ran string) string {
	switch {
	case k.Opened:
		return ran + ", and its outcome is unknown"
	case k.Sent:
		return "nobody knows whether the command was started: if it was, " + ran
	}
	return "the command was never started"
}

// Unknown says in words why the command's end is unknown. It says no more than is certain: that
// something is being stopped only if the daemon has said so, or does so by SE6 or RE4.
func (k Known) Unknown(err error) error {
	host := k.Host
	var failure *report.Failure
	var ended *Closed
	var said *protocol.RemoteError
	var lost *mux.LinkLost
	switch {
	case errors.As(err, &failure):
		return err
	case errors.Is(err, mux.ErrRestarted):
		return report.Failed(err, "", "%s; %s", restarted(host),
			k.fate("the command was stopped then, or runs on"))
	case errors.As(err, &lost) && lost.Tried > 0:
		return report.Failed(err, "", "%s; %s", noNewLink(host, lost), k.fate("what runs there is "+
			"stopped at the latest when its session has been without a link for "+
			protocol.ExactlyInWords(lost.Within)))
	case errors.As(err, &ended) && ended.Code == protocol.CodeShuttingDown:
		return report.Failed(err, "", "%s did not run it: %v", host, ended.RemoteError)
	case errors.As(err, &said):
		switch said.Code {
		case protocol.CodeUnknownService, protocol.CodeServiceRefused, protocol.CodeBadRequest,
			protocol.CodeStartFailed, protocol.CodeNoDirectory, protocol.CodeTooManyChannels,
			protocol.CodeTooManyCommands, protocol.CodeBusy:
			hint := ""
			if k.Long && said.Code == protocol.CodeStartFailed {
				hint = tooLongHint
			}
			return report.Failed(err, hint, "%s did not run it: %v", host, said)
		case protocol.CodeShuttingDown:
			return report.Failed(err, "",
				"minisshd on %s is being stopped, and the command with it", host)
		case protocol.CodeDetached:
			return report.Failed(err, "minissh job list "+host+" lists it",
				"another client of yours has taken what ran here over: it goes on, as a job on %s",
				host)
		case protocol.CodeSessionExpired:
			return report.Failed(err, "if it was a shell, minissh job list "+host+
				" tells whether another client of yours has taken it up",
				"the session with %s has expired; %s", host, k.fate("what ran there was stopped"))
		case protocol.CodeSessionEnded:
			return report.Failed(err, "", "%s; %s", sessionEnded(host, said),
				k.fate("what ran there was stopped"))
		case protocol.CodeEndedByAdmin:
			return report.Failed(err, "",
				"the administrator of %s ended this session; what ran in it is being stopped", host)
		case protocol.CodeIdleTimeout:
			return report.Failed(err, idleHint,
				"%s ended this session: nothing was sent either way for too long; what ran in it "+
					"is being stopped", host)
		}
		if errors.As(err, &ended) {
			return report.Failed(err, "", "%s gave the command up, and its outcome is unknown: %v",
				host, said)
		}
		return report.Failed(err, "",
			"%s ended the session, and the command's outcome is unknown: %v", host, said)
	case errors.As(err, &lost):
		return report.Failed(err, "",
			"the connection to %s was lost: %s; what ran there is hung up when the daemon "+
				"notices, within %s at the latest, and its outcome is unknown", host,
			dial.Happened(lost.Cause), protocol.ExactlyInWords(lost.Within))
	case errors.Is(err, mux.ErrGoodbye):
		return report.Failed(err, "", "%s ended the session, and the command's outcome is unknown",
			host)
	}
	return report.Failed(err, "",
		"the session with %s ended, and the command's outcome is unknown: %v", host, err)
}

// cutOff is Unknown, except that the outcome may be known although the end of the output is
// missing (EX5).
func (k Known) cutOff(err error, ended *Outcome) error {
	var failure *report.Failure
	if ended == nil || ended.Exit == nil || errors.As(err, &failure) {
		return k.Unknown(err)
	}
	return report.Failed(err, "",
		"%v; the command had ended before (exit code %d), and only output of what it left "+
			"running is lost", SessionOver(k.Host, err), ended.ExitCode())
}

// idleHint is what can be done about a session that was too idle.
const idleHint = "its time is the daemon's --idle-timeout; a long command that says nothing runs " +
	"on as: nohup COMMAND >FILE 2>&1 &"

// SessionOver says why a session ended in which nothing ran.
func SessionOver(host string, err error) error {
	var said *protocol.RemoteError
	var lost *mux.LinkLost
	switch {
	case errors.Is(err, mux.ErrRestarted):
		return report.Failed(err, "", "%s", restarted(host))
	case errors.As(err, &lost) && lost.Tried > 0:
		return report.Failed(err, "", "%s", noNewLink(host, lost))
	case errors.As(err, &lost):
		return report.Failed(err, "", "the connection to %s was lost: %s", host,
			dial.Happened(lost.Cause))
	case !errors.As(err, &said):
		return report.Failed(err, "", "%s ended the session", host)
	case said.Code == protocol.CodeSessionExpired:
		return report.Failed(err, "", "the session with %s has expired", host)
	case said.Code == protocol.CodeSessionEnded:
		return report.Failed(err, "", "%s", sessionEnded(host, said))
	case said.Code == protocol.CodeShuttingDown:
		return report.Failed(err, "", "minisshd on %s is being stopped", host)
	case said.Code == protocol.CodeEndedByAdmin:
		return report.Failed(err, "", "the administrator of %s ended this session", host)
	case said.Code == protocol.CodeIdleTimeout:
		return report.Failed(err, idleHint,
			"%s ended this session: nothing was sent either way for too long", host)
	}
	return report.Failed(err, "", "%s ended the session: %v", host, said)
}

// noNewLink says that a link was lost, and why it was given up to try for another.
func noNewLink(host string, lost *mux.LinkLost) string {
	why := dial.Happened(lost.Cause)
	var said *protocol.RemoteError
	if errors.As(lost.Cause, &said) && said.Code == protocol.CodeKeyNotAuthorized {
		why = "it does not let your key in from your new address"
	}
	return fmt.Sprintf("the link to %s was lost, and there was no new one for %s: %s", host,
		protocol.ExactlyInWords(lost.Tried), why)
}

func restarted(host string) string {
	return fmt.Sprintf("minisshd on %s was restarted, and has forgotten the session", host)
}

// sessionEnded is the daemon's answer to a new link of a session that it has ended meanwhile.
func sessionEnded(host string, said *protocol.RemoteError) string {
	return fmt.Sprintf("%s ended this session while it had no link: %s", host,
		protocol.Quote(said.Message))
}
