// Package run runs one command on another machine: with our standard streams (command.go), on a pty
// that is shown on our terminal (shell.go, gate.go), or without a command (-N: hold.go). notices.go
// shows what a daemon says besides the output, signals.go handles our signals, outcome.go says how
// it went, and hint.go helps those who forgot -t.
package run

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Streams are the three streams of one command on our side.
type Streams struct {
	Stdin          io.Reader // nil: the command's standard input is empty
	Stdout, Stderr io.Writer
	// EndStdout, if not nil, is called when the command has closed its standard output, which may
	// be long before its end: whoever reads ours must not have to wait for that.
	EndStdout func() error
	// Keyboard is our standard input as a file, for what runs on a pty; nil: nobody can type.
	Keyboard *os.File
	// Detach, if not nil, makes a job of what runs on a pty, when the user asks for that.
	Detach Detach
	// Waiting, if not nil, says in one line what of the user's own goes on there, for who begins a
	// login shell; "": nothing does.
	Waiting func(context.Context, *dial.Connection) string
	// Result, if not nil, is told what becomes of the command.
	Result *Result
}

// Request is what the options ask to run (EX1, SU1).
func Request(d *dial.Dialer) *protocol.Open {
	o := d.Options
	open := &protocol.Open{Service: "exec", Timeout: o.Timeout.Milliseconds(),
		Env: environment(o), Agent: d.Agent}
	switch {
	case o.SessionType == options.SessionSubsystem:
		open.Service, open.Name = "subsystem", o.CommandLine()
	case o.Exec:
		for _, word := range o.Command {
			open.Argv = append(open.Argv, protocol.Bytes(word))
		}
	case o.CommandLine() == "":
		open.Shell = true
	default:
		Put(open, o.CommandLine())
	}
	return open
}

// longestCommand is how long a command may be in the request itself, in bytes: it fits even if each
// of them is written as six (JS2).
const longestCommand = 8 << 10

// Put puts a command or line into a request; a long one is announced there,
// SendLong sends it (EX1, LI3).
func Put(open *protocol.Open, text string) {
	if len(text) > longestCommand {
		open.Length = int64(len(text))
	} else {
		open.Command = protocol.Bytes(text)
	}
}

// Open sends the request. Its error is in words, and the session's if that has ended.
func Open(s *mux.Session, request *protocol.Open) (*mux.Channel, error) {
	if request.Length > protocol.MaxLength {
		return nil, report.Failed(nil, tooLongHint, "the command has %d bytes, and at most %d "+
			"(1 MiB) can be sent", request.Length, protocol.MaxLength).Of(report.ClassUsage)
	}
	ch, err := s.Open(request)
	return ch, Unsent(err)
}

const tooLongHint = "minissh host sh <FILE reads a long one from standard input"

// SendLong sends the text that Put has only announced.
func SendLong(ch *mux.Channel, text string) error {
	if ch.Request().Length == 0 {
		return nil
	}
	_, err := ch.Write(protocol.TypeStdin, []byte(text))
	return err
}

// environment is what SendEnv and SetEnv send.
func environment(o *options.Options) (env [][2]protocol.Bytes) {
	for _, pair := range o.Environment(os.Environ()) {
		env = append(env, [2]protocol.Bytes{protocol.Bytes(pair[0]), protocol.Bytes(pair[1])})
	}
	return env
}

// Command connects, runs the command that the options name, or a login shell, with the given
// streams, and returns its exit code; report.ExitFailure for our own failures, which it shows. If
// the options ask for it the other side has a pty. loggedIn, which may be nil, is called after the
// login, when no more questions will come.
func Command(ctx context.Context, d *dial.Dialer, streams Streams, loggedIn func()) int {
	if wantsTerminal(d, streams.Keyboard) {
		return shell(ctx, d, streams, loggedIn)
	}
	if d.Options.StdinNull {
		streams.Stdin = nil
	}
	streams.Stdout = streams.Result.OutTo(streams.Stdout)
	streams.Stderr = streams.Result.ErrTo(streams.Stderr)
	stderr, hint := missing(d, streams.Keyboard, streams.Stderr)
	streams.Stderr = stderr
	var ch *mux.Channel
	login, loginOver := UntilLogin(ctx, d)
	conn, err := d.Dial(login, func(s *mux.Session) (err error) {
		request := Request(d)
		if ch, err = Open(s, request); err == nil && streams.Stdin == nil && request.Length == 0 {
			err = ch.EOF(protocol.TypeStdin)
		}
		return err
	})
	if code := loginOver(); code != 0 {
		return code
	}
	if err != nil {
		err = NotLoggedIn(ch, err)
		streams.Result.Failed(err)
		d.Messages.Error(err)
		return report.ExitFailure
	}
	streams.Result.Began(conn, ch)
	signals := signalsTo(conn, ch) // until now a signal just ends this process
	// The process ends with the command (see Leave), and need not wait for this.
	defer func() { go signals.Release() }()
	defer TellStops(conn.Session.TellStop)()
	if loggedIn != nil {
		loggedIn()
	}
	if streams.Stdin != nil || ch.Request().Length > 0 {
		// ends with the process at the latest: a read of standard input cannot be interrupted
		go func() {
			SendLong(ch, d.Options.CommandLine()) // the channel tells of a failure
			feed(ch, streams.Stdin)
		}()
	}
	var watching sync.WaitGroup
	watching.Go(func() {
		Notices(conn, ch, Answers{Held: func(o *Outcome) {
			signals.letGo(o) // first: whoever reads the message may press Ctrl-C at once
			sayHeld(conn.Messages)
		}})
	})
	outcome, err := Follow(ch, streams)
	if err == nil {
		ch.Close(nil)
		signals.letGo(outcome)
		linger(conn)
		conn.Session.Leave()
	} else {
		conn.Session.Close(nil)
	}
	if err != nil || conn.Messages.Interactive() {
		watching.Wait() // what the daemon noticed is known, and shown, before we leave
	}
	if err != nil {
		err = KnownOf(conn, ch).cutOff(err, signals.ended())
		streams.Result.Failed(err)
		conn.Messages.Error(err)
		return report.ExitFailure
	}
	streams.Result.Ended(outcome)
	outcome.Explain(conn)
	hint(outcome.ExitCode())
	return outcome.ExitCode()
}

// feed carries our standard input to the command, then its end.
func feed(ch *mux.Channel, stdin io.Reader) {
	if stdin != nil {
		ch.Copy(protocol.TypeStdin, stdin, func() { terminal.Widen(stdin) })
	}
	ch.EOF(protocol.TypeStdin)
}

// Closed is the end of a command's channel without the command's outcome, by a CLOSE with a reason
// (CH4). The session goes on.
type Closed struct{ *protocol.RemoteError }

func (c *Closed) Unwrap() error { return c.RemoteError }

// Follow copies a command's output, in the order of sending, until it learns of the command's end.
// The error is the session's end, a *Closed if the request was refused, or that of our own output.
func Follow(ch *mux.Channel, streams Streams) (*Outcome, error) {
	var exit *protocol.Exit
	for {
		e, err := ch.Take()
		if err != nil && exit != nil && !broken(err) { // its CLOSE tells nothing more
			return &Outcome{Exit: exit}, nil
		}
		if err != nil {
			return nil, err
		}
		switch message := e.Message.(type) {
		case *protocol.Exit:
			exit = message
		case *protocol.Reason:
			if exit == nil {
				return nil, &Closed{&protocol.RemoteError{Reason: *message}}
			}
		}
		to := streams.Stdout
		if e.Type == protocol.TypeStderr {
			to = streams.Stderr
		}
		if len(e.Data) > 0 {
			if _, err := to.Write(e.Data); err != nil {
				return nil, report.Failed(err, "", "cannot write the command's output: %v", err)
			}
		}
		if e.EOF && e.Type == protocol.TypeStdout && streams.EndStdout != nil {
			streams.EndStdout()
		}
	}
}

// broken says whether the other side broke a rule.
func broken(err error) bool {
	_, is := errors.AsType[*protocol.Violation](err)
	return is
}

// Unsent says in words why a request was never sent, and returns every other error as it is. The
// session goes on.
func Unsent(err error) error {
	switch {
	case errors.Is(err, protocol.ErrTooLarge):
		return report.Failed(err, tooLongHint,
			"the command is too long: %v", err)
	case errors.Is(err, protocol.ErrNUL):
		return report.Failed(err, "", "a command cannot hold a zero byte")
	}
	return err
}
