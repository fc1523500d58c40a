package client

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"
)

// The first signal asks politely, and what it asks for may depend on the other side. The second ends
// this process whatever hangs (RULES D7): at once, or in endsWithin's time where something is asked
// for once more. Nothing that ends it so waits for a lock, a link or a disk.

// endsWithin is how long the other side has after a second signal.
const endsWithin = 700 * time.Millisecond

// lastSteps are what is done before this process ends: to give a terminal back, and to say what
// became of things.
var lastSteps struct {
	mu    sync.Mutex // guards the rest
	steps map[int]func()
	next  int
}

// beforeEnd has f called before EndNow ends this process, until forget is.
func beforeEnd(f func()) (forget func()) {
	l := &lastSteps
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.steps == nil {
		l.steps = map[int]func(){}
	}
	l.next++
	n := l.next
	l.steps[n] = f
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.steps, n)
	}
}

// EndNow ends this process, the newest last step first. A step that hangs is left.
func EndNow(code int) {
	l := &lastSteps
	var steps []func()
	l.mu.Lock()
	for n := l.next; n > 0; n-- {
		if f := l.steps[n]; f != nil {
			steps = append(steps, f)
		}
	}
	l.mu.Unlock()
	for _, step := range steps {
		done := make(chan struct{})
		go func() { defer close(done); step() }()
		select {
		case <-done:
		case <-time.After(endsWithin / 7):
		}
	}
	os.Exit(code)
}

// endSoon ends this process after a time, unless stop is called before.
func endSoon(code int, after time.Duration) (stop func()) {
	timer := time.AfterFunc(after, func() { EndNow(code) })
	return func() { timer.Stop() }
}

// signalCode is the exit code of a process that a signal ended, as a shell gives it.
func signalCode(sig os.Signal) int {
	if n, ok := sig.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return 128 + 2
}

// asking has a signal end this process at once while a question waits for its answer, which nothing
// else can interrupt. What was switched off on the terminal is switched on again.
func asking(terminal *os.File) (answered func()) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	forget := func() {}
	if state, err := term.GetState(int(terminal.Fd())); err == nil {
		forget = beforeEnd(func() { term.Restore(int(terminal.Fd()), state) })
	}
	stop := make(chan struct{})
	go func() {
		select {
		case sig := <-signals:
			EndNow(signalCode(sig))
		case <-stop:
		}
	}()
	return func() {
		signal.Stop(signals)
		close(stop)
		forget()
	}
}
