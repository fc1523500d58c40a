package run

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/term"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// wantsTerminal decides as ssh does whether to ask for a pty, and says in ssh's words if that is
// impossible.
func wantsTerminal(d *dial.Dialer, stdin *os.File) bool {
	o := d.Options
	wanted := o.RequestTTY == options.TTYYes || o.RequestTTY == options.TTYForce ||
		o.RequestTTY != options.TTYNo && o.CommandLine() == ""
	if wanted && o.RequestTTY != options.TTYForce &&
		(o.StdinNull || stdin == nil || !term.IsTerminal(int(stdin.Fd()))) {
		d.Messages.Announce("Pseudo-terminal will not be allocated because stdin is not a " +
			"terminal.")
		return false
	}
	return wanted
}

// shell is Command on a pty.
func shell(ctx context.Context, d *dial.Dialer, streams Streams, loggedIn func()) int {
	stdin := streams.Keyboard
	if d.Options.StdinNull {
		stdin = nil
	}
	local := terminal.New(stdin)
	var ch *mux.Channel
	d.OnTerminal = true
	login, loginOver := UntilLogin(ctx, d)
	conn, err := d.Dial(login, func(s *mux.Session) (err error) {
		ch, err = Open(s, PTY(Request(d), d.Options, local))
		return err
	})
	if code := loginOver(); code != 0 {
		return code
	}
	if err != nil {
		streams.Result.Failed(err)
		d.Messages.Error(err)
		return report.ExitFailure
	}
	streams.Result.Began(conn, ch)
	if loggedIn != nil {
		loggedIn()
	}
	SendLong(ch, d.Options.CommandLine()) // ahead of what is typed; the channel tells of a failure
	screen, closeScreen := terminal.Display(os.Stdout, streams.Stdout)
	defer closeScreen()
	shown, err := NewShell(conn, ch, local, stdin, streams.Result.OutTo(screen),
		streams.Result.ErrTo(streams.Stderr))
	if err != nil {
		streams.Result.Failed(err)
		d.Messages.Error(err)
		return report.ExitFailure
	}
	shown.MayDetach(streams.Detach)
	if d.Options.CommandLine() == "" && conn.Messages.Interactive() && shown.stdout.modes != nil {
		shown.waiting = streams.Waiting
	}
	// there is one thing to do after the other: further threads would be woken for each key, and
	// find nothing
	runtime.GOMAXPROCS(1)
	outcome, left, err := shown.Run(ctx)
	if left != nil {
		untold := Untold(conn)
		said := make(chan struct{})
		go func() { defer close(said); conn.Session.Close(nil) }()
		select {
		case <-said:
		case <-time.After(Farewell):
			if untold == "" && left.Outcome == nil {
				untold = unsure(conn)
			}
		}
		if untold != "" {
			conn.Messages.Say(options.LevelError, "%s", untold)
		}
		streams.Result.Left(left)
		return left.code(conn)
	}
	if over, failed := shown.Detached(ctx, err); over {
		streams.Result.Failed(err)
		return shown.leaveAsJob(failed)
	}
	if err == nil {
		linger(conn)
	}
	conn.Session.Close(nil)
	if err != nil {
		fmt.Fprintln(d.Messages) // the cursor is wherever the other side left it
		err = KnownOf(conn, ch).cutOff(err, shown.held.Load())
		streams.Result.Failed(err)
		d.Messages.Error(err)
		return report.ExitFailure
	}
	streams.Result.Ended(outcome)
	if !shown.refused.Load() {
		goodbye(conn)
	}
	outcome.Explain(conn)
	return outcome.ExitCode()
}

// code says how the user left, and returns the exit code: 255 as in ssh for ~., 128+n for a signal,
// the command's own if that had ended.
func (l *Left) code(conn *dial.Connection) int {
	if l.Outcome != nil {
		return l.Outcome.ExitCode()
	}
	sig, ok := l.Signal.(syscall.Signal)
	if !ok {
		goodbye(conn)
		return report.ExitFailure
	}
	conn.Messages.Announce(fmt.Sprintf("Killed by signal %d.", int(sig)))
	return 128 + int(sig)
}

// PTY is a request for a pty like our terminal. What the options send goes with it, and so does the
// language, as in most systems' ssh_config (SendEnv LANG LC_*): without it a remote shell does not
// know the encoding of what is typed.
func PTY(open *protocol.Open, o *options.Options, local *terminal.Terminal) *protocol.Open {
	usual := *o
	usual.SendEnv = append([]string{"LANG", "LC_*", "COLORTERM"}, o.SendEnv...)
	open.PTY, open.Env = local.Request(), environment(&usual)
	return open
}
