package run

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"minissh/client/atexit"
	"minissh/client/dial"
	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Escalate passes the n-th signal on to a command's process group: the first asks by name (INT,
// TERM), the second kills. It says whether nothing is left to ask for: then whoever waits leaves.
func Escalate(ch *mux.Channel, n int, name string) (leave bool) {
	if n > 2 {
		return true
	}
	if n == 2 {
		name = "KILL"
	}
	go ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: name})
	return false
}

// NameOf is the other side's name for one of our signals that end things.
func NameOf(sig os.Signal) string {
	if sig == syscall.SIGTERM {
		return "TERM"
	}
	return "INT"
}

// Catcher takes INT and TERM. While a command runs it passes them on (Escalate). Otherwise the
// first politely ends what is under way, and the second ends this process. Once the command has
// ended, and only what it left running holds its output, the first leaves. So it does while the
// link is lost: the daemon cannot be told.
type Catcher struct {
	c      chan os.Signal
	stop   chan struct{}
	ch     *mux.Channel       // the command's; nil: there is none
	conn   *dial.Connection   // its connection
	cancel context.CancelFunc // ends what is under way, if that is not a command
	exit   func(code int)     // atexit.Exit, but for tests
	deaf   bool               // Ctrl-C passes us by

	mu    sync.Mutex // guards the rest
	code  int        // 128+n of the first signal
	count int
	held  *Outcome    // how the command has ended, when only its output is waited for
	left  bool        // a signal came after that
	lost  time.Time   // when the link was lost; zero: it is there
	last  os.Signal   // the last one that came for a command
	away  *time.Timer // leaves, unless the link comes back; nil: nobody wants to
}

// Signals takes signals from now on; cancel ends what is under way.
func Signals(cancel context.CancelFunc) *Catcher {
	s := &Catcher{cancel: cancel}
	s.catch()
	return s
}

// carrierSignals is Signals for what carries another program's data.
func carrierSignals(cancel context.CancelFunc) *Catcher {
	s := &Catcher{cancel: cancel, deaf: passedBy}
	s.catch()
	return s
}

// signalsTo takes signals from now on, for a command.
func signalsTo(conn *dial.Connection, ch *mux.Channel) *Catcher {
	s := &Catcher{conn: conn, ch: ch, exit: atexit.Exit,
		deaf: passedBy && conn.Options.SessionType == options.SessionSubsystem}
	conn.Watch(func(loss *dial.Loss) {
		conn.Announce(loss)
		s.link(loss)
	})
	s.catch()
	return s
}

// link notes that the link is lost, or back (nil). Most come back at once, and then the command
// gets the signals that came before; but a user does not wait for one that is lost.
func (s *Catcher) link(loss *dial.Loss) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case loss == nil:
		s.lost = time.Time{}
	case s.lost.IsZero(): // else an attempt was refused
		s.lost = time.Now()
	}
	s.hasten()
}

// hasten sees to it that a user who wants to leave, and cannot tell the daemon, soon does. The
// caller holds mu.
func (s *Catcher) hasten() {
	switch {
	case s.lost.IsZero() && s.away != nil:
		s.away.Stop()
		s.away = nil
	case !s.lost.IsZero() && s.away == nil && s.last != nil && s.held == nil:
		s.away = time.AfterFunc(Farewell-time.Since(s.lost), s.leaveUntold)
	}
}

func (s *Catcher) leaveUntold() {
	s.mu.Lock()
	sig, stays := s.last, s.away == nil
	s.mu.Unlock()
	if stays { // the link came back
		return
	}
	// without mu: a lost link may be told meanwhile
	s.conn.Messages.Say(options.LevelError, "%s", untold(s.conn))
	s.exit(atexit.Code(sig))
}

// endSoon is atexit.After for a second signal that was passed on: it says that the daemon has not
// answered.
func endSoon(conn *dial.Connection, sig os.Signal) (stop func()) {
	timer := time.AfterFunc(atexit.Patience, func() {
		atexit.Do(func() { // it may hang
			if text := unsure(conn); text != "" {
				conn.Messages.Say(options.LevelError, "%s", text)
			}
		})
		atexit.Exit(atexit.Code(sig))
	})
	return func() { timer.Stop() }
}

// passedBy says that whoever started us wants Ctrl-C to pass us by: sftp, which has our terminal,
// stops a transfer and goes on; a client that goes through us has its command to tell.
var passedBy = signal.Ignored(os.Interrupt)

func (s *Catcher) catch() {
	s.c, s.stop = make(chan os.Signal, 4), make(chan struct{})
	signal.Notify(s.c, syscall.SIGTERM)
	if !s.deaf {
		signal.Notify(s.c, os.Interrupt)
	}
	go s.loop()
}

// Release takes no more signals.
func (s *Catcher) Release() {
	signal.Stop(s.c)
	close(s.stop)
}

// letGo makes the next signal leave: the command has ended, and it is not for us to stop what it
// left running.
func (s *Catcher) letGo(outcome *Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = outcome
}

// ended is what letGo was told; nil: nothing yet.
func (s *Catcher) ended() *Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// leave wants no more output. The daemon answers with the outcome at once; if it does not answer,
// we know it already. The caller holds mu.
func (s *Catcher) leave() {
	code := s.held.ExitCode()
	if s.left {
		atexit.Exit(code)
	}
	s.left = true
	time.AfterFunc(Farewell, func() { atexit.Exit(code) })
	go s.ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
}

// Caught returns 128+n if a signal ended what was under way.
func (s *Catcher) Caught() (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.code, s.code != 0
}

func (s *Catcher) loop() {
	for {
		select {
		case sig := <-s.c:
			s.take(sig)
		case <-s.stop:
			return
		}
	}
}

func (s *Catcher) take(sig os.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	if s.ch != nil {
		s.last = sig
		defer s.hasten()
	}
	switch {
	case s.ch == nil:
		if s.count > 1 {
			atexit.Exit(atexit.Code(sig))
		}
		s.code = atexit.Code(sig)
		s.cancel()
	case s.held != nil:
		s.leave()
	case !s.lost.IsZero():
		Escalate(s.ch, s.count, NameOf(sig)) // if the link comes back
	case Escalate(s.ch, s.count, NameOf(sig)):
		atexit.Exit(atexit.Code(sig))
	case s.count == 2:
		endSoon(s.conn, sig)
	}
}
