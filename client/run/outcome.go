package run

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// ExitDeadline is the exit code of a command that --timeout stopped, as in timeout(1).
const ExitDeadline = 124

// Outcome is how a command ended.
type Outcome struct{ *protocol.Exit }

// numbers of the signals whose names a daemon may send (signal(7), the same on every system that
// matters here).
var numbers = map[string]int{
	"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9,
	"USR1": 10, "SEGV": 11, "USR2": 12,
	"PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16, "XCPU": 24, "XFSZ": 25, "VTALRM": 26,
	"PROF": 27, "IO": 29, "PWR": 30, "SYS": 31,
}

// number of a signal that a daemon names, or numbers if it has no name for it, such as a real-time
// one (EX6); 0 if it has no meaning here.
func number(signal string) int {
	if n, ok := numbers[signal]; ok {
		return n
	}
	if n, err := strconv.Atoi(signal); err == nil && n >= 1 && n <= 64 {
		return n
	}
	return 0
}

// ExitCode is the command's own, 128+n for a signal, 124 for a deadline. A code that does not fit
// in a byte is a failure: cut to one, it could look like success. So is an EXIT that tells no
// outcome (EX6), and a missing one.
func (o *Outcome) ExitCode() int {
	switch {
	case o.Exit == nil || o.Check() != nil:
		return report.ExitFailure
	case o.How == protocol.HowDeadline:
		return ExitDeadline
	case o.Code != nil && *o.Code >= 0 && *o.Code <= 255:
		return *o.Code
	case o.Code != nil:
		return report.ExitFailure
	case o.Signal != "":
		if n := number(o.Signal); n != 0 {
			return 128 + n
		}
	}
	return report.ExitFailure
}

// Unclear says how the command ended if the exit code 255 stands for it; "" if the code tells.
func (o *Outcome) Unclear() string {
	switch nonsense := o.Check(); {
	case nonsense != nil:
		return "how the command ended is unknown: " + nonsense.Error()
	case o.How == protocol.HowExited && *o.Code != o.ExitCode():
		return fmt.Sprintf("the command exited with %d; exit codes here are 0 to 255", *o.Code)
	case o.How == protocol.HowSignalled && o.Code == nil && number(o.Signal) == 0:
		return "the command was ended by the signal " + protocol.Quote(o.Signal) +
			", which is not known here"
	}
	return ""
}

// explain says on standard error what an exit code alone does not.
func (o *Outcome) explain(conn *dial.Connection) {
	m, asked := conn.Messages, conn.Options
	traffic := conn.Session.Traffic()
	defer m.Debug("sent %d bytes, received %d bytes, of frames", traffic.Out, traffic.In)
	if o.Check() != nil {
		m.Say(options.LevelError, "%s", o.Unclear())
		return
	}
	switch unclear := o.Unclear(); {
	case unclear != "":
		m.Say(options.LevelError, "%s", unclear)
	case o.How == protocol.HowDeadline && asked.Timeout > 0:
		m.Say(options.LevelError, "the command was stopped after %v, its --timeout", asked.Timeout)
	case o.How == protocol.HowDeadline: // which we did not set
		m.Say(options.LevelError, "the command was stopped at a time limit of %s", asked.Alias)
	case o.How != protocol.HowExited && o.How != protocol.HowSignalled:
		m.Say(options.LevelError, "the command was stopped: %s", protocol.Quote(o.How))
	}
	if len(o.Left) > 0 {
		names := make([]string, len(o.Left))
		for i, p := range o.Left {
			names[i] = fmt.Sprintf("%d %s", p.PID, protocol.Quote(p.Name))
		}
		m.Say(options.LevelError, "could not be stopped there: %s", strings.Join(names, ", "))
	}
	if asked.LogLevel < options.LevelDebug1 {
		return
	}
	how := "was stopped (" + word(o.How) + ")"
	switch {
	case o.How == protocol.HowExited && o.Code != nil:
		how = fmt.Sprintf("exited with %d", *o.Code)
	case o.How == protocol.HowSignalled:
		how = "was ended by signal " + word(o.Signal)
	}
	memory := "" // 0 is unknown: the daemon's own peak hides a small program's
	if o.MaxRSS > 0 {
		memory = fmt.Sprintf(", %d KiB of memory", o.MaxRSS)
	}
	m.Debug("the command %s after %d ms; %d ms user, %d ms system%s", how, o.Duration, o.UserTime,
		o.SysTime, memory)
}

// word is a name that the other side sent, quoted if it is more than one word.
func word(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == "" {
		return s
	}
	return protocol.Quote(s)
}

// OutcomeUnknown says in words why a command's end is unknown. It says no more than is certain:
// that something is being stopped only if the daemon has said so, or does so by SE6.
func OutcomeUnknown(host string, err error) error {
	var failure *report.Failure
	var ended *Closed
	var said *protocol.RemoteError
	var lost *mux.LinkLost
	switch {
	case errors.As(err, &failure):
		return err
	case errors.As(err, &ended) && ended.Code == protocol.CodeShuttingDown:
		return report.Failed(err, "", "%s did not run it: %v", host, ended.RemoteError)
	case errors.As(err, &said):
		switch said.Code {
		case protocol.CodeUnknownService, protocol.CodeServiceRefused, protocol.CodeBadRequest,
			protocol.CodeStartFailed, protocol.CodeNoDirectory, protocol.CodeTooManyChannels,
			protocol.CodeTooManyCommands:
			return report.Failed(err, "", "%s did not run it: %v", host, said)
		case protocol.CodeShuttingDown:
			return report.Failed(err, "",
				"minisshd on %s is being stopped, and the command with it", host)
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
			"the connection to %s was lost: %v; what ran there is hung up when the daemon "+
				"notices, within %s at the latest, and its outcome is unknown", host,
			report.Plain(lost.Cause), inWords(lost.Within))
	case errors.Is(err, mux.ErrGoodbye):
		return report.Failed(err, "", "%s ended the session, and the command's outcome is unknown",
			host)
	}
	return report.Failed(err, "",
		"the session with %s ended, and the command's outcome is unknown: %v", host, err)
}

// cutOff is OutcomeUnknown, except that the outcome may be known although the end of the output is
// missing (EX5).
func cutOff(host string, err error, ended *Outcome) error {
	var failure *report.Failure
	if ended == nil || ended.Exit == nil || errors.As(err, &failure) {
		return OutcomeUnknown(host, err)
	}
	return report.Failed(err, "",
		"%v; the command had ended before (exit code %d), and only output of what it left "+
			"running is lost", SessionOver(host, err), ended.ExitCode())
}

// inWords is a time that is some minutes or hours long.
func inWords(d time.Duration) string {
	if d >= 2*time.Hour {
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d minutes", int(d.Minutes()))
}

// idleHint is what can be done about a session that was too idle.
const idleHint = "its time is the daemon's --idle-timeout; a long command that says nothing runs " +
	"on as: nohup COMMAND >FILE 2>&1 &"

// SessionOver says why a session ended in which nothing ran.
func SessionOver(host string, err error) error {
	var said *protocol.RemoteError
	var lost *mux.LinkLost
	switch {
	case errors.As(err, &lost):
		return report.Failed(err, "", "the connection to %s was lost: %v", host,
			report.Plain(lost.Cause))
	case !errors.As(err, &said):
		return report.Failed(err, "", "%s ended the session", host)
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

// goodbye announces the end as ssh does.
func goodbye(conn *dial.Connection) {
	conn.Messages.Announce("Connection to " + cmp.Or(conn.Options.HostName, conn.Options.Alias) +
		" closed.")
}
