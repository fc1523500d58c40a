package run

import (
	"context"

	"minissh/client/dial"
	"minissh/client/report"
	"minissh/protocol/mux"
)

// Hold is -N: it logs in, runs nothing, and stays until the session or the user ends it.
func Hold(ctx context.Context, d *dial.Dialer, loggedIn func()) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signals := Signals(cancel)
	defer signals.Release()
	conn, err := d.Dial(ctx, func(*mux.Session) error { return nil })
	if err == nil {
		if loggedIn != nil {
			loggedIn()
		}
		defer TellStops(conn.Session.TellStop)()
		select {
		case <-conn.Session.Done():
			err = SessionOver(conn.Options.Alias, conn.Session.Err())
		case <-ctx.Done():
			conn.Session.Close(nil)
		}
	}
	if code, caught := signals.Caught(); caught {
		return code
	}
	if err != nil {
		d.Messages.Error(err)
	}
	return report.ExitFailure
}
