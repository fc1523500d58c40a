package client

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"minissh/protocol"
	"minissh/protocol/mux"
)

// signals takes INT and TERM. While a command runs the first goes to the remote process group and the second kills there, for which the
// other side has a moment; otherwise the first ends what is under way politely, and the second ends this process. Once the command
// has ended, and only what it left running holds its output, the first leaves.
type signals struct {
	c    chan os.Signal
	stop chan struct{}
	once sync.Once

	mu     sync.Mutex // guards the rest
	code   int        // 128+n of the first signal
	cancel context.CancelFunc
	ch     *mux.Channel
	count  int
	held   *Outcome // how the command has ended, when only its output is waited for
	left   bool     // a signal came after that
}

func newSignals() *signals { return &signals{c: make(chan os.Signal, 4), stop: make(chan struct{})} }

func catchSignals() *signals {
	s := newSignals()
	s.catch()
	return s
}

// catch takes signals from now on.
func (s *signals) catch() {
	signal.Notify(s.c, os.Interrupt, syscall.SIGTERM)
	go s.loop()
}

func (s *signals) release() {
	signal.Stop(s.c)
	s.once.Do(func() { close(s.stop) })
}

// whileDialing lets a signal end the attempt to connect.
func (s *signals) whileDialing(cancel context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel = cancel; s.code != 0 { // it came before
		cancel()
	}
}

// forward sends signals to a command from now on.
func (s *signals) forward(ch *mux.Channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ch = ch
}

// letGo has the next signal leave: the command has ended so, and what it left running is not ours to stop.
func (s *signals) letGo(outcome *Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = outcome
}

// ended is what letGo was told; nil: nothing yet.
func (s *signals) ended() *Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// leave wants no more output. The daemon answers with the outcome at once; where it does not answer, we know it already. The caller holds mu.
func (s *signals) leave() {
	code := s.held.ExitCode()
	if s.left {
		os.Exit(code)
	}
	s.left = true
	time.AfterFunc(farewell, func() { os.Exit(code) })
	go s.ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
}

// caught gives 128+n if a signal ended the attempt to connect.
func (s *signals) caught() (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.code, s.code != 0
}

func (s *signals) loop() {
	for {
		select {
		case sig := <-s.c:
			s.take(sig)
		case <-s.stop:
			return
		}
	}
}

func (s *signals) take(sig os.Signal) {
	name, number := "INT", 2
	if sig == syscall.SIGTERM {
		name, number = "TERM", 15
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	if s.ch == nil {
		if s.count > 1 {
			EndNow(128 + number)
		}
		s.code = 128 + number
		if s.cancel != nil {
			s.cancel()
		}
		return
	}
	if s.held != nil {
		s.leave()
		return
	}
	switch s.count {
	case 1:
		go s.ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: name})
	case 2:
		go s.ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "KILL"})
		endSoon(128+number, endsWithin)
	default:
		EndNow(128 + number)
	}
}
