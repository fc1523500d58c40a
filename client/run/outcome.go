package run

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
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
	case o.How == protocol.HowSignalled:
		return bySignal(o.Signal)
	case o.Code != nil && *o.Code >= 0 && *o.Code <= 255:
		return *o.Code
	case o.Code != nil:
		return report.ExitFailure
	}
	return bySignal(o.Signal)
}

// bySignal is 128+n for a signal that has a number here.
func bySignal(signal string) int {
	if n := number(signal); n != 0 {
		return 128 + n
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
	case o.How == protocol.HowSignalled && number(o.Signal) == 0:
		return "the command was ended by the signal " + protocol.Quote(o.Signal) +
			", which is not known here"
	}
	return ""
}

// Explain says on standard error what an exit code alone does not.
func (o *Outcome) Explain(conn *dial.Connection) {
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
		m.Say(options.LevelError, "the command was stopped after %s, its --timeout",
			protocol.ExactlyInWords(asked.Timeout))
	case o.How == protocol.HowDeadline: // which we did not set
		m.Say(options.LevelError, "the command was stopped at a time limit of %s", asked.Alias)
	case o.How == protocol.HowCancelled:
		m.Say(options.LevelError, "the command was stopped: somebody asked %s for that",
			asked.Alias)
	case o.How == protocol.HowHungUp:
		m.Say(options.LevelError, "the command was stopped: its terminal was hung up")
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

// goodbye announces the end as ssh does.
func goodbye(conn *dial.Connection) {
	conn.Messages.Announce("Connection to " + cmp.Or(conn.Options.HostName, conn.Options.Alias) +
		" closed.")
}
