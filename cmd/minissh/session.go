package main

import (
	"minissh/client/atexit"
	"minissh/client/dial"
	"minissh/client/master"
	"minissh/client/options"
	"minissh/client/run"
)

// sessionDialer is dialer for what ssh itself does, and no copy: the socket of ControlMaster and
// LocalCommand.
func sessionDialer(o *options.Options) *dial.Dialer {
	d := dialer(o)
	if o.LocalCommand == "" && !o.IsMaster() {
		return d
	}
	before := d.LoggedIn
	d.LoggedIn = func(conn *dial.Connection) error {
		if before != nil {
			if err := before(conn); err != nil {
				return err
			}
		}
		if o.IsMaster() {
			_, err := master.Own(o.ControlPath, conn.Messages, func() {
				conn.Session.Close(nil)
				atexit.Exit(0)
			})
			if err != nil {
				return err
			}
		}
		return run.LocalCommand(conn)
	}
	return d
}
