package run

import (
	"context"
	"errors"

	"minissh/client/dial"
	"minissh/client/forward"
	"minissh/client/report"
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
	var ch *mux.Channel
	conn, err := d.Dial(ctx, func(s *mux.Session) (err error) {
		ch, err = s.Open(&protocol.Open{Service: "forward", Connect: to})
		return err
	})
	if err == nil {
		if loggedIn != nil {
			loggedIn()
		}
		defer tellStops(conn.Session)()
		err = stdio(ctx, conn, ch, streams, to)
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
func stdio(ctx context.Context, conn *dial.Connection, ch *mux.Channel, streams Streams,
	to *protocol.Target) error {
	defer context.AfterFunc(ctx, func() { conn.Session.Close(nil) })()
	if conn.Options.StdinNull || streams.Stdin == nil {
		ch.EOF(protocol.TypeStdin)
	} else {
		// ends with the process: a read of standard input cannot be interrupted
		go feed(ch, streams.Stdin)
	}
	_, err := Follow(ch, streams)
	if err == nil {
		ch.Close(nil)
		conn.Session.Leave()
		return nil
	}
	defer conn.Session.Close(nil)
	host := conn.Options.Alias
	if said, ok := errors.AsType[*Closed](err); ok {
		return forward.Failed(host, to, &said.Reason)
	}
	if _, ours := errors.AsType[*report.Failure](err); ours {
		return err
	}
	return SessionOver(host, err)
}
