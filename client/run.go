package client

import (
	"context"
	"fmt"
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
}

// Exec is what the options ask to be run, as a request (P6.1).
func Exec(o *options.Options) *protocol.Open {
	open := &protocol.Open{Service: "exec", Timeout: o.Timeout.Milliseconds()}
	if o.Exec {
		for _, word := range o.Command {
			open.Argv = append(open.Argv, protocol.Bytes(word))
		}
	} else {
		open.Command = protocol.Bytes(o.CommandLine())
	}
	for _, pair := range o.Environment(os.Environ()) {
		open.Env = append(open.Env, [2]protocol.Bytes{protocol.Bytes(pair[0]), protocol.Bytes(pair[1])})
	}
	return open
}

// RunCommand connects, runs the command that the options name with the given streams, and returns its exit code; ExitFailure for
// failures of our own, which are reported on d.Messages.
func RunCommand(ctx context.Context, d *Dialer, streams Streams) int {
	signals := catchSignals()
	defer signals.release()
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
		return err
	})
	if err != nil {
		if code, caught := signals.caught(); caught {
			return code
		}
		Report(d.Messages, err)
		return ExitFailure
	}
	signals.forward(ch)
	if streams.Stdin != nil {
		go feed(ch, streams.Stdin) // ends with the process at the latest: a read of standard input cannot be interrupted
	}
	var watching sync.WaitGroup
	watching.Go(func() { d.notices(ch) })
	outcome, err := follow(ch, streams)
	if err == nil {
		ch.Close(nil)
	}
	conn.Session.Close(nil)
	if d.interactive() {
		watching.Wait() // what the daemon noticed is told before we leave
	}
	if err != nil {
		Report(d.Messages, d.outcomeUnknown(err))
		return ExitFailure
	}
	outcome.explain(d)
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
		select {
		case <-conn.Session.Done():
			err = d.outcomeUnknown(conn.Session.Err())
		case <-ctx.Done():
			conn.Session.Close(nil)
		}
	}
	if code, caught := signals.caught(); caught {
		return code
	}
	if err != nil {
		Report(d.Messages, err)
	}
	return ExitFailure
}

// feed carries our standard input to the command, then its end.
func feed(ch *mux.Channel, stdin io.Reader) {
	ch.Copy(protocol.TypeStdin, stdin, func() { widen(stdin) })
	ch.EOF(protocol.TypeStdin)
}

// follow copies a command's output, in the order in which it was sent, until the command's end is told. The error is the session's
// end, a *protocol.RemoteError if the request was refused, or that of our own output.
func follow(ch *mux.Channel, streams Streams) (*Outcome, error) {
	buf := make([]byte, 4*protocol.MaxPayload)
	var exit *protocol.Exit
	for {
		e, err := ch.Next(buf)
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
				return nil, &protocol.RemoteError{Reason: *message}
			}
		}
		to := streams.Stdout
		if e.Type == protocol.TypeStderr {
			to = streams.Stderr
		}
		if e.N > 0 {
			if _, err := to.Write(buf[:e.N]); err != nil {
				return nil, fail(err, "", "cannot write the command's output: %v", err)
			}
		}
	}
}

// notices tells a person at a terminal what the daemon notices.
func (d *Dialer) notices(ch *mux.Channel) {
	for {
		select {
		case e := <-ch.Requests():
			notice, ok := e.Message.(*protocol.Notice)
			switch {
			case !ok:
			case notice.Notice == protocol.NoticeOutputHeld && d.interactive():
				fmt.Fprintln(d.Messages, "minissh: the command has ended, but something that it left running still holds its output; Ctrl-C leaves it alone")
			case notice.Notice == protocol.NoticeSignalRefused:
				d.debug("the signal was refused: %s", protocol.Quote(notice.Message))
			}
		case <-ch.Gone():
			return
		}
	}
}

// interactive says whether a person reads our messages.
func (d *Dialer) interactive() bool {
	f, ok := d.Messages.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && d.Options.LogLevel > options.LevelQuiet
}
