package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"minissh/client/dial"
	"minissh/client/master"
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol"
)

// Shared runs commands of other processes over our connection (ControlMaster).
type Shared struct {
	Conn  *dial.Connection
	Agent int64 // channel of the listener to which our agent is lent; 0: none
	// Detach, if not nil, makes a job of what runs on a pty, and tells out which.
	Detach func(out io.Writer) Detach
}

var _ master.Commands = (*Shared)(nil)

// Run implements master.Commands.
func (s *Shared) Run(ctx context.Context, c *master.Command, opened func(pty bool)) (int, error) {
	local := terminal.New(c.Files[0])
	request := &protocol.Open{Service: "exec", Env: c.Env}
	switch {
	case c.Subsystem:
		request.Service, request.Name = "subsystem", c.Line
	case c.Line == "":
		request.Shell = true
	default:
		Put(request, c.Line)
	}
	if c.PTY {
		request.PTY = local.Request()
		if request.PTY.Term = nil; protocol.ValidTerm(c.Term) {
			request.PTY.Term = protocol.Bytes(c.Term)
		}
	}
	if c.Agent {
		request.Agent = s.Agent
	}
	keys, err := terminal.OpenKeyboard(c.Files[0])
	if err != nil {
		return 0, err
	}
	ch, err := Open(s.Conn.Session, request)
	if err != nil {
		keys.Close()
		return 0, err
	}
	stdout, stderr := terminal.Output(c.Files[1]), terminal.Output(c.Files[2])
	defer stdout.Close()
	defer stderr.Close()
	asked := ctx
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	defer context.AfterFunc(ctx, func() {
		ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	})()
	defer context.AfterFunc(asked, func() { stdout.Close(); stderr.Close() })() // nobody reads
	var detach *sharedDetach
	shown := io.Writer(stdout)
	if c.PTY && s.Detach != nil {
		detach = &sharedDetach{conn: s.Conn, ch: ch, how: s.Detach(rawLines{stderr}), said: stderr,
			shown: stdout}
		shown = detach
	}
	read, noticed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(read)
		SendLong(ch, c.Line)
		if c.PTY {
			escape := &terminal.Escaper{Char: c.Escape, MayDetach: detach != nil}
			feed(ch, &escaped{keys: keys, escape: escape, help: stderr, leave: leave,
				detach: detach})
		} else {
			feed(ch, keys)
		}
	}()
	go func() {
		defer close(noticed)
		Notices(s.Conn, ch, Answers{Opened: func(o *protocol.Opened) { opened(len(o.TTY) > 0) }})
	}()
	if c.PTY {
		defer followWindow(local, ch.Send)()
	}
	outcome, err := Follow(ch, Streams{Stdout: shown, Stderr: stderr,
		EndStdout: func() error { stdout.Close(); return c.Files[1].Close() }})
	ch.Close(nil)
	keys.Stop() // the next key is for whoever comes after
	<-read
	keys.Close()
	<-noticed
	job, failed := detach.finish(ctx, err)
	switch {
	case job && failed == nil:
		return 0, nil
	case job:
		s.tellCut(stderr, failed)
		return 0, failed
	case ctx.Err() != nil:
		return 0, ctx.Err() // whoever left by ~. has no exit code
	case err != nil:
		s.tellCut(stderr, err)
		return 0, err
	}
	return outcome.ExitCode(), nil
}

// tellCut says on another process's standard error why its command was cut off. That one says only
// that the connection was closed.
func (s *Shared) tellCut(stderr io.Writer, err error) {
	if _, refused := errors.AsType[*Closed](err); refused || errors.Is(err, syscall.EPIPE) {
		return // it is told by the process itself, or known to it
	}
	if _, ours := errors.AsType[*report.Failure](err); !ours {
		err = SessionOver(s.Conn.Options.Alias, err)
	}
	fmt.Fprintf(stderr, "minissh: %v\r\n", err)
}

// followWindow tells the other side of each new size of a window, until stop is called. Our process
// gets a signal for another's window, too: ssh passes it on.
func followWindow(local *terminal.Terminal, send func(protocol.Type, any) error) (stop func()) {
	signals, over := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, terminal.SignalWindow)
	go func() {
		last := local.Size()
		for {
			select {
			case <-over:
				return
			case <-signals:
			}
			if size := local.Size(); size != last && size.Valid() {
				last = size
				send(protocol.TypeResize, &size)
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(over)
	}
}

// escaped is what is typed on another process's terminal, without its escapes. Of these ~., ~d and
// ~? are for us.
type escaped struct {
	keys   io.Reader
	escape *terminal.Escaper
	help   io.Writer
	leave  func()
	detach *sharedDetach // nil: nothing here becomes a job
	rest   []byte        // typed, and not yet filtered
}

func (e *escaped) Read(p []byte) (int, error) {
	for {
		if len(e.rest) == 0 {
			n, err := e.keys.Read(p[1:]) // an escape character that was held back may come first
			if e.rest = append(e.rest, p[1:1+n]...); n == 0 {
				return 0, err
			}
		}
		send, action, after := e.escape.Filter(e.rest)
		n := copy(p, send)
		e.rest = append(e.rest[:0], after...)
		switch action {
		case terminal.Disconnect:
			e.leave()
			return n, io.EOF
		case terminal.Detach:
			e.detach.ask()
		case terminal.Help:
			also := ""
			if e.detach != nil {
				also = fmt.Sprintf(", %sd makes a job of it, which goes on", e.escape.Name())
			}
			fmt.Fprintf(e.help, "\r\n%s. ends this command%s; other escapes are for the terminal "+
				"of the process that owns the connection\r\n", e.escape.Name(), also)
		}
		if n > 0 {
			return n, nil
		}
	}
}

// linger waits, when our command has ended, for what else the connection carries.
func linger(conn *dial.Connection) {
	if conn.Forwards != nil {
		conn.Forwards.Linger()
	}
	if conn.Shared != nil {
		conn.Shared.Linger()
	}
}
