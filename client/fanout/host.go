package fanout

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/outcome"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// state is where a host is.
type state int

const (
	stateWaiting    state = iota // for its turn
	stateConnecting              // until the login
	stateAsking                  // until the user has judged its key
	stateRunning
	stateEnded
)

// host is one of a fleet. What the fleet's mu guards is said.
type host struct {
	f      *fleet
	name   string // as it was named
	number int    // among all

	// guarded by the fleet's mu
	state  state
	began  time.Time        // when its turn came
	conn   *dial.Connection // nil: no login
	ch     *mux.Channel     // of the command
	untold bool             // it has been asked to end, and has not

	// for serve alone, until it has ended
	result          *run.Result
	record          outcome.Record
	code            int
	reached         bool
	fed             bool             // its command reads our input
	dialed          *options.Options // nil: it was not
	err             error            // why the end is unknown
	left            []protocol.Process
	skipped         string  // why it was not begun; "": it was
	out, complaints *Output // with Gather or JSON
}

// notBegun notes that the host's turn does not come.
func (h *host) notBegun() {
	h.f.mu.Lock()
	h.skipped, h.state = h.f.halted, stateEnded
	h.f.mu.Unlock()
	h.record = outcome.Record{Host: h.name, Failure: report.ClassInterrupted,
		Message: "not begun: " + h.skipped}
	h.f.input.without()
	h.f.keep(h)
}

// serve runs the command, from the login to the end.
func (h *host) serve() {
	f := h.f
	f.mu.Lock()
	h.began, h.state = time.Now(), stateConnecting
	f.mu.Unlock()
	defer f.ended(h)
	defer func() {
		if !h.fed {
			f.input.without()
		}
	}()
	once := f.asking.once()
	defer once()
	d, err := f.Dialer(h.name)
	if err != nil {
		h.err = err
		h.record = outcome.Record{Host: h.name, Failure: report.ClassUsage, Message: err.Error()}
		f.keep(h)
		return
	}
	h.dialed = d.Options
	d.Messages = report.New(&messages{f.screen}, d.Options)
	d.Shared = &f.shared
	if d.Ask != nil {
		d.Ask = &f.asking
		d.AskHost = func(v verdict) error { return f.asking.aboutHost(h, v) }
	}
	out, err := f.sinks(h)
	if err == nil {
		for try := 0; ; try++ {
			h.result = new(run.Result)
			h.err = h.run(d, out, once)
			h.record = outcome.Of(d, h.result)
			if h.record.Failure != report.ClassUnreachable || try >= f.Retries ||
				!f.pause(time.Second<<min(try, 4)) {
				break
			}
		}
	} else {
		h.err = err
		h.result = new(run.Result)
		h.result.Failed(err)
		h.record = outcome.Of(d, h.result)
	}
	h.record.Host = h.name
	if err := out.end(); err != nil && h.err == nil {
		h.err = err
	}
	f.keep(h)
}

// pause waits before another try; false: there is none.
func (f *fleet) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return !f.halting()
	case <-f.ctx.Done():
		return false
	}
}

// run is one try.
func (h *host) run(d *dial.Dialer, out *sinks, loggedIn func()) error {
	f := h.f
	var ch *mux.Channel
	conn, err := d.Dial(f.ctx, func(s *mux.Session) (err error) {
		if f.Do != nil {
			return nil
		}
		request := run.Request(d)
		if ch, err = run.Open(s, request); err == nil && f.input == nil && request.Length == 0 {
			err = ch.EOF(protocol.TypeStdin)
		}
		return err
	})
	if err != nil {
		if f.ctx.Err() != nil {
			err = errors.Join(errStopped, context.Canceled)
		}
		h.result.Failed(err)
		return err
	}
	loggedIn()
	h.reached = true
	h.result.Began(conn, ch)
	if f.Do != nil {
		f.begun(h, conn, nil)
		h.code, err = f.Do(f.ctx, Visit{h.name, conn, &wholeLines{f.screen}, d.Messages})
		if !f.Keep || err != nil {
			conn.Session.Close(nil)
		}
		if h.result.Failed(err); err == nil {
			h.result.Ended(&run.Outcome{Exit: &protocol.Exit{How: protocol.HowExited,
				Code: &h.code}})
		}
		return err
	}
	ch.IgnoreRequests()
	f.begun(h, conn, ch)
	h.fed = f.input != nil
	if f.input != nil || ch.Request().Length > 0 {
		go func() { // ends with the channel at the latest
			run.SendLong(ch, d.Options.CommandLine()) // the channel tells of a failure
			f.input.feed(ch)
			ch.EOF(protocol.TypeStdin)
		}()
	}
	end, err := run.Follow(ch, run.Streams{Stdout: h.result.OutTo(out.out),
		Stderr: h.result.ErrTo(out.err)})
	f.mu.Lock()
	h.untold = false
	f.mu.Unlock()
	if err != nil {
		conn.Session.Close(nil)
		err = run.KnownOf(conn, ch).Unknown(err)
		h.result.Failed(err)
		return err
	}
	ch.Close(nil)
	conn.Session.Leave()
	h.result.Ended(end)
	h.code, h.left = end.ExitCode(), end.Left
	return nil
}

// errStopped says that the user ended a login.
var errStopped = errors.New("stopped before it was begun")

// begun notes a command that runs. If the user wants the end of all, it is told at once.
func (f *fleet) begun(h *host, conn *dial.Connection, ch *mux.Channel) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h.state, h.conn, h.ch = stateRunning, conn, ch
	if f.stopped {
		h.stop()
	}
}

// stop asks for the command's end. The daemon answers when it is dead (CH9). The caller holds the
// fleet's mu.
func (h *host) stop() {
	if h.ch == nil {
		return // Do has a context
	}
	h.untold = true
	go h.ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
}

// failure says whether the host is among those that failed.
func (h *host) failure() bool { return h.exitCode() != 0 }

// exitCode is the command's, or 255 if there is none.
func (h *host) exitCode() int {
	switch {
	case h.skipped != "":
		return report.ExitFailure
	case h.err != nil:
		return cmp.Or(h.code, report.ExitFailure)
	}
	return h.code
}

// sinks are where a host's output goes.
type sinks struct {
	out, err io.Writer
	end      func() error
}
