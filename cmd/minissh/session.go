package main

import (
	"sync/atomic"

	"minissh/client/atexit"
	"minissh/client/dial"
	"minissh/client/forward"
	"minissh/client/job"
	"minissh/client/master"
	"minissh/client/options"
	"minissh/client/run"
)

// ending says that -O exit ends this process: what then ends with the session must not give its own
// exit code.
var ending atomic.Bool

// sessionDialer is dialer for what ssh itself does, and no copy: the socket of ControlMaster and
// LocalCommand.
func sessionDialer(o *options.Options) *dial.Dialer {
	d := dialer(o)
	if o.LocalCommand == "" && !o.IsMaster() {
		return d
	}
	before := d.LoggedIn
	d.LoggedIn = func(conn *dial.Connection) error {
		if err := before(conn); err != nil {
			return err
		}
		if o.IsMaster() {
			forwards := conn.Forwards.(*forward.Forwards)
			shared := &run.Shared{Conn: conn, Agent: d.Agent, Detach: job.Detacher}
			owner, err := master.Own(o.ControlPath, conn.Messages, forwards, shared, func() {
				ending.Store(true)
				// that the session ends is what was asked for
				conn.Messages.Via(func([]byte) []byte { return nil })
				conn.Session.Leave()
				atexit.Exit(0)
			})
			if err != nil {
				return err
			}
			if owner != nil {
				conn.Shared = owner
			}
		}
		return run.LocalCommand(conn)
	}
	return d
}
