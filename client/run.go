package client

import (
	"context"
	"io"
	"os"
	"sync"

	"golang.org/x/term"

	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Streams are the three streams of one command on our side.
type Streams struct {
	Stdin          io.Reader // nil: the command's standard input is empty
	Stdout, Stderr io.Writer
	// EndStdout, if not nil, is called when the command has closed its standard output, which may be long before its end: whoever reads ours must not wait for that.
	EndStdout func() error
	// Keyboard is our standard input as a file, for what runs on a pty; nil: nobody can type.
	Keyboard *os.File
}

// Exec is what the options ask to be run, as a request (EX1).
func Exec(o *options.Options) *protocol.Open {
	open := &protocol.Open{Service: "exec", Timeout: o.Timeout.Milliseconds(), Env: environment(o)}
	switch {
	case o.Exec:
		for _, word := range o.Command {
			open.Argv = append(open.Argv, protocol.Bytes(word))
		}
	case o.CommandLine() == "":
		open.Shell = true
	default:
		open.Command = protocol.Bytes(o.CommandLine())
	}
	return open
}

// environment is what SendEnv and SetEnv send.
func environment(o *options.Options) (env [][2]protocol.Bytes) {
	for _, pair := range o.Environment(os.Environ()) {
		env = append(env, [2]protocol.Bytes{protocol.Bytes(pair[0]), protocol.Bytes(pair[1])})
	}
	return env
}

// RunCommand connects, runs the command that the options name, or a login shell, with the given streams, and returns its exit code; ExitFailure for
// failures of our own, which are reported on d.Messages. Where the options ask for it the other side has a pty (shell.go).
func RunCommand(ctx context.Context, d *Dialer, streams Streams) int {
	if d.wantsTerminal(streams.Keyboard) {
		return d.runTerminal(ctx, streams)
	}
	stderr, hint := d.missing(streams.Keyboard, streams.Stderr)
	streams.Stderr = stderr
	signals := newSignals() // and never released: the process ends with its command, and has no time to lose
	d.underWay = signals.catch
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signals.whileDialing(cancel)
	if d.Options.StdinNull {
		streams.Stdin = nil
	}
	var ch *mux.Channel
	conn, err := d.Dial(ctx, func(s *mux.Session) (err error) {
		if ch, err = s.Open(Exec(d.Options)); err == nil && streams.Stdin == nil {
			err = ch.EOF(protocol.TypeStdin)
		}
		return unsent(err)
	})
	if err != nil {
		if code, caught := signals.caught(); caught {
			return code
		}
		d.report(err)
		return ExitFailure
	}
	signals.forward(ch)
	tellStops(conn.Session)
	d.loggedIn()
	if streams.Stdin != nil {
		go feed(ch, streams.Stdin) // ends with the process at the latest: a read of standard input cannot be interrupted
	}
	var watching sync.WaitGroup
	watching.Go(func() {
		d.notices(ch, answers{held: func(o *Outcome) {
			signals.letGo(o) // first: whoever reads the message may press Ctrl-C at once
			d.sayHeld()
		}})
	})
	outcome, err := follow(ch, streams)
	if err == nil {
		ch.Close(nil)
		conn.Session.Leave()
	} else {
		conn.Session.Close(nil)
	}
	if d.interactive() {
		watching.Wait() // what the daemon noticed is told before we leave
	}
	if err != nil {
		d.report(d.cutOff(err, signals.ended()))
		return ExitFailure
	}
	outcome.explain(d)
	d.transferred(conn.Session)
	hint(outcome.ExitCode())
	return outcome.ExitCode()
}

// HoldConnection is -N: it logs in, runs nothing, and stays until the session or the user ends it.
func HoldConnection(ctx context.Context, d *Dialer) int {
	signals := catchSignals()
	defer signals.release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signals.whileDialing(cancel)
	conn, err := d.Dial(ctx, func(*mux.Session) error { return nil })
	if err == nil {
		d.loggedIn()
		tellStops(conn.Session)
		select {
		case <-conn.Session.Done():
			err = d.sessionOver(conn.Session.Err())
		case <-ctx.Done():
			conn.Session.Close(nil)
		}
	}
	if code, caught := signals.caught(); caught {
		return code
	}
	if err != nil {
		d.report(err)
	}
	return ExitFailure
}

// feed carries our standard input to the command, then its end.
func feed(ch *mux.Channel, stdin io.Reader) {
	ch.Copy(protocol.TypeStdin, stdin, func() { widen(stdin) })
	ch.EOF(protocol.TypeStdin)
}

// closed is the end of a command's channel without the command's outcome, by a CLOSE with a reason (CH4). The session goes on.
type closed struct{ *protocol.RemoteError }

func (c *closed) Unwrap() error { return c.RemoteError }

// follow copies a command's output, in the order in which it was sent, until the command's end is told. The error is the session's
// end, a *protocol.RemoteError if the request was refused, or that of our own output.
func follow(ch *mux.Channel, streams Streams) (*Outcome, error) {
	var exit *protocol.Exit
	for {
		e, err := ch.Take()
		if err == io.EOF && exit != nil {
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
				return nil, &closed{&protocol.RemoteError{Reason: *message}}
			}
		}
		to := streams.Stdout
		if e.Type == protocol.TypeStderr {
			to = streams.Stderr
		}
		if len(e.Data) > 0 {
			if _, err := to.Write(e.Data); err != nil {
				return nil, fail(err, "", "cannot write the command's output: %v", err)
			}
		}
		if e.EOF && e.Type == protocol.TypeStdout && streams.EndStdout != nil {
			streams.EndStdout()
		}
	}
}

// interactive says whether a person reads our messages.
func (d *Dialer) interactive() bool {
	f, ok := d.Messages.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && d.Options.LogLevel > options.LevelQuiet
}

// hearsCtrlC says whether Ctrl-C on the terminal that our messages go to reaches us: not after -f, nor in a shell's background.
func (d *Dialer) hearsCtrlC() bool {
	f, ok := d.Messages.(*os.File)
	return ok && inForeground(f)
}
