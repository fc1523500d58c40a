package fanout

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
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

// host is one of a fleet.
type host struct {
	f      *fleet
	name   string // as it was named
	number int    // among all

	conn atomic.Pointer[dial.Connection] // nil: there is none
	held atomic.Bool                     // the command has ended, and its output has not

	// guarded by the fleet's mu
	state state
	began time.Time    // when its turn came
	ch    *mux.Channel // of the command
	skips string       // why it was not begun; "": it was

	// for serve alone, until it has ended
	result          *run.Result
	record          outcome.Record
	options         *options.Options // nil: they could not be read
	code            int              // that the command, or Do, gave
	reached         bool
	fed             bool  // its command reads our input
	err             error // why the end is unknown
	left            []protocol.Process
	out, complaints *Output // with Gather or JSON
	verdict
}

// notBegun notes that the host's turn does not come.
func (h *host) notBegun() {
	h.f.mu.Lock()
	h.skips = h.f.halted
	h.f.mu.Unlock()
	h.record = outcome.Record{Host: h.name, Failure: report.ClassInterrupted,
		Message: "not begun: " + h.skips}
	h.f.input.without()
	h.f.prepared(h)
	h.finish()
}

// finish judges the host's end, and writes it down.
func (h *host) finish() {
	h.verdict = h.judge()
	if err := h.f.keep(h); err != nil && h.err == nil {
		h.err = err
		h.verdict = h.judge()
	}
	h.f.ended(h)
}

// serve runs the command, from the login to the end.
func (h *host) serve() {
	f := h.f
	f.mu.Lock()
	h.began, h.state = time.Now(), stateConnecting
	f.mu.Unlock()
	once := f.asking.once()
	defer once()
	defer h.finish()
	defer func() {
		if !h.fed {
			f.input.without()
		}
	}()
	d, err := f.Dialer(h.name)
	if err != nil {
		h.fail(report.Failed(err, report.Hint(err), "%v", err).Of(report.ClassUsage))
		return
	}
	h.options = d.Options
	d.Messages = report.New(&messages{f.screen, []string{h.name, d.Options.Alias,
		d.Options.HostName}}, d.Options)
	d.Shared = &f.shared
	if d.Ask != nil {
		d.Ask = &f.asking
		d.AskHost = func(v hostVerdict) error { return f.asking.aboutHost(h, v) }
	}
	if err := f.prepared(h); err != nil {
		h.fail(err)
		return
	}
	out, err := f.sinks(h)
	if err != nil {
		h.fail(err)
		return
	}
	for try := 0; ; try++ {
		h.result = new(run.Result)
		if h.err = h.run(d, out, once); h.err != nil {
			h.result.Failed(h.err)
		}
		h.record = outcome.Of(d, h.result)
		if h.record.Failure != report.ClassUnreachable || try >= f.Retries ||
			!f.pause(time.Second<<min(try, 4)) {
			break
		}
	}
	h.record.Host = h.name
	if err := out.end(); err != nil && h.err == nil {
		h.err = err
	}
}

// fail notes what went wrong before anything was done.
func (h *host) fail(err error) {
	h.err = err
	h.record = outcome.Record{Host: h.name, Failure: report.ClassOf(err, false),
		Message: err.Error()}
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
		if err = run.NotLoggedIn(ch, err); report.ClassOf(err, false) != report.ClassLost &&
			errors.Is(err, context.Canceled) {
			return report.Failed(context.Canceled, "", "stopped before it was begun").
				Of(report.ClassInterrupted)
		}
		return err
	}
	loggedIn()
	h.reached = true
	h.result.Began(conn, ch)
	if f.Do != nil {
		return h.visit(conn, d)
	}
	f.begun(h, conn, ch)
	go run.Notices(conn, ch, run.Answers{Held: func(*run.Outcome) { h.held.Store(true) }})
	h.fed = f.input != nil
	fed := make(chan error, 1)
	if h.fed || ch.Request().Length > 0 {
		go func() { // ends with the channel at the latest
			run.SendLong(ch, d.Options.CommandLine()) // the channel tells of a failure
			err := f.input.feed(ch)
			if err != nil { // what came is not the whole
				ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
			}
			fed <- err
			ch.EOF(protocol.TypeStdin)
		}()
	} else {
		fed <- nil
	}
	end, err := run.Follow(ch, run.Streams{Stdout: h.result.OutTo(out.out),
		Stderr: h.result.ErrTo(out.err)})
	select {
	case cut := <-fed:
		if cut != nil {
			conn.Session.Close(nil)
			return report.Failed(cut, "", "standard input cannot be read: %v", report.Plain(cut)).
				Of(report.ClassInternal)
		}
	default:
	}
	if err != nil {
		said, is := errors.AsType[*run.Closed](err)
		if is && said.Code == protocol.CodeCancelled && f.stopping() { // CH9: nothing had begun
			err = report.Failed(context.Canceled, "", "stopped before it was begun").
				Of(report.ClassInterrupted)
		}
		conn.Session.Close(nil)
		return run.KnownOf(conn, ch).Unknown(err)
	}
	ch.Close(nil)
	conn.Session.Leave()
	h.result.Ended(end)
	h.code, h.left = end.ExitCode(), end.Left
	return nil
}

// visit is Do on a host.
func (h *host) visit(conn *dial.Connection, d *dial.Dialer) (err error) {
	h.f.begun(h, conn, nil)
	h.code, err = h.f.Do(h.f.ctx, Visit{h.name, conn, &wholeLines{h.f.screen}, d.Messages})
	if !h.f.Keep || err != nil {
		conn.Session.Close(nil)
	}
	if err == nil {
		h.result.Ended(&run.Outcome{Exit: &protocol.Exit{How: protocol.HowExited, Code: &h.code}})
	}
	return err
}

// begun notes a command that runs. If the user wants the end of all, it is told at once.
func (f *fleet) begun(h *host, conn *dial.Connection, ch *mux.Channel) {
	h.conn.Store(conn)
	f.mu.Lock()
	h.state, h.ch = stateRunning, ch
	f.mu.Unlock()
	if f.stopping() {
		stop(ch)
	}
}

// stop asks for a command's end. The daemon answers when it is dead (CH9); Do has a context.
func stop(ch *mux.Channel) {
	if ch != nil {
		go ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	}
}

// sinks are where a host's output goes.
type sinks struct {
	out, err io.Writer
	end      func() error
}
