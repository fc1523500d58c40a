package run

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"minissh/client/dial"
	"minissh/client/forward"
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Stdio is -W: our standard streams are a connection that the other side makes. It ends with the
// connection, or at the first signal.
func Stdio(ctx context.Context, d *dial.Dialer, streams Streams, loggedIn func()) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signals := carrierSignals(cancel)
	defer signals.Release()
	to := d.Options.StdioForward
	if d.Options.StdinNull {
		streams.Stdin = nil
	}
	var ch *mux.Channel
	in := &stdioInput{stdin: streams.Stdin, begin: beginning(streams.Stdin),
		over: make(chan struct{})}
	conn, err := d.Dial(ctx, func(s *mux.Session) (err error) {
		if ch, err = s.Open(&protocol.Open{Service: "forward", Connect: to}); err == nil {
			// ends with the process: a read of standard input cannot be interrupted
			go in.feed(ch)
		}
		return err
	})
	if err == nil {
		in.winner = ch
	}
	close(in.over)
	if err == nil {
		if loggedIn != nil {
			loggedIn()
		}
		defer TellStops(conn.Session.TellStop)()
		err = stdio(ctx, conn, ch, streams)
		// Whoever has said all and left, as a client that jumps through us, has nothing to learn.
		if said, ok := errors.AsType[*Closed](err); ok {
			err = forward.Failed(conn.Options.Alias, to, &said.Reason)
			if said.Code == protocol.CodeConnectionBroken && in.ended.Load() {
				d.Messages.Debug("%v", err)
				return report.ExitFailure
			}
		}
	}
	if code, caught := signals.Caught(); caught {
		return code
	}
	if err != nil {
		d.Messages.Error(err)
		return report.ExitFailure
	}
	return 0
}

// stdio carries the streams until the connection's end, or ctx's.
func stdio(ctx context.Context, conn *dial.Connection, ch *mux.Channel, streams Streams) error {
	defer context.AfterFunc(ctx, func() { conn.Session.Close(nil) })()
	_, err := Follow(ch, streams)
	if err == nil {
		ch.Close(nil)
		conn.Session.Leave()
		return nil
	}
	defer conn.Session.Close(nil)
	if _, closed := errors.AsType[*Closed](err); closed {
		return err
	}
	if _, ours := errors.AsType[*report.Failure](err); ours {
		return err
	}
	return SessionOver(conn.Options.Alias, err)
}

// firstMost is how much of standard input can travel with HELLO, in bytes: a client that goes
// through us says its part of a handshake at once, and waits.
const firstMost = 8 << 10

// stdioInput is our standard input, which is read before the login: it costs no further round trip.
type stdioInput struct {
	stdin  io.Reader     // nil: there is none
	begin  chan []byte   // what comes first, once that is known; empty at its end
	over   chan struct{} // closed when the login is over
	winner *mux.Channel  // of the session that was let in; set before over is closed
	ended  atomic.Bool   // all of it has been sent
}

// beginning reads what comes first.
func beginning(stdin io.Reader) chan []byte {
	begin := make(chan []byte, 1)
	if stdin == nil {
		begin <- nil
		return begin
	}
	go func() {
		first := make([]byte, firstMost)
		n, _ := stdin.Read(first) // an error comes again
		begin <- first[:n]
	}()
	return begin
}

// feed carries the input to a channel. Each session gets the beginning, and the one that was let in
// gets the rest: the daemon has done nothing for another.
func (in *stdioInput) feed(ch *mux.Channel) {
	first := <-in.begin
	in.begin <- first
	if _, err := ch.Write(protocol.TypeStdin, first); err != nil {
		return
	}
	<-in.over
	if in.winner != ch {
		return
	}
	if in.stdin != nil {
		ch.Copy(protocol.TypeStdin, in.stdin, func() { terminal.Widen(in.stdin) })
	}
	in.ended.Store(true)
	ch.EOF(protocol.TypeStdin)
}
