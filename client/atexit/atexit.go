// Package atexit ends this process in order: it first restores a terminal, and says what became of
// things.
//
// The first signal asks politely, and what it asks for may depend on the other side. The second
// ends this process whatever hangs: at once, or after Patience if something is asked for once more.
// An end of this kind waits for no lock, link or disk.
package atexit

import (
	"os"
	"sync"
	"syscall"
	"time"
)

// Patience is how long the other side has after a second signal.
const Patience = 700 * time.Millisecond

// registered are the steps that are done before this process ends.
var registered struct {
	mu    sync.Mutex // guards the rest
	steps map[int]func()
	next  int
}

// Do makes Exit do step before this process ends, and also a panic that passes Rescue, unless
// forget is called before.
func Do(step func()) (forget func()) {
	r := &registered
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.steps == nil {
		r.steps = map[int]func(){}
	}
	r.next++
	n := r.next
	r.steps[n] = step
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.steps, n)
	}
}

// Run does the steps, the newest first. It continues without one that hangs.
func Run() {
	r := &registered
	var steps []func()
	r.mu.Lock()
	for n := r.next; n > 0; n-- {
		if step := r.steps[n]; step != nil {
			steps = append(steps, step)
		}
	}
	r.mu.Unlock()
	for _, step := range steps {
		done := make(chan struct{})
		go func() { defer close(done); step() }()
		select {
		case <-done:
		case <-time.After(Patience / 7):
		}
	}
}

// Exit does the steps and ends this process.
func Exit(code int) {
	Run()
	os.Exit(code)
}

// After is Exit after Patience, unless stop is called before.
func After(code int) (stop func()) {
	timer := time.AfterFunc(Patience, func() { Exit(code) })
	return func() { timer.Stop() }
}

// Rescue is deferred where a panic would leave a terminal in raw mode, and the screen as a remote
// program had it: it does the steps, and the panic continues.
func Rescue() {
	if r := recover(); r != nil {
		Run()
		panic(r)
	}
}

// Rescued is f with Rescue.
func Rescued(f func()) func() {
	return func() {
		defer Rescue()
		f()
	}
}

// Code is the exit code of a process that a signal ended, as a shell gives it.
func Code(sig os.Signal) int {
	if n, ok := sig.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return 128 + 2
}
