// Package testend looks, at the end of a package's tests, for goroutines that outlive them, and
// waits in a test for what may never come (Until, Next, Accept). Only tests use it.
package testend

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// patience is how long a goroutine that is about to end may take to do so (one that
// context.AfterFunc started, say).
const patience = 10 * time.Second

// Main is a TestMain that fails the tests when a goroutine of this module outlives them. last ends
// or removes what must be gone first.
func Main(m *testing.M, last ...func()) {
	code := m.Run()
	for _, end := range last {
		end()
	}
	for _, stack := range leftBehind(patience) {
		fmt.Fprintf(os.Stderr, "a goroutine is left behind:\n%s\n", stack)
		code = 1
	}
	os.Exit(code)
}

// Strict is Main that looks for descriptors too: no more may be open after the tests than before.
func Strict(m *testing.M) {
	if r, w, err := os.Pipe(); err == nil { // the runtime's own come with the first of ours
		r.Close()
		w.Close()
	}
	before := descriptors()
	Main(m, func() {
		over := time.After(patience)
		for now := descriptors(); now > before; now = descriptors() {
			select {
			case <-over:
				fmt.Fprintf(os.Stderr, "%d descriptors are left, where %d were\n", now, before)
				os.Exit(1)
			case <-time.After(5 * time.Millisecond):
				runtime.GC() // closes what nobody holds
			}
		}
	})
}

// descriptors counts those that are open; 0 where that is not known.
func descriptors() int {
	names, _ := os.ReadDir("/dev/fd")
	return len(names)
}

// leftBehind returns the stacks of goroutines that still run code of this module when the time is
// over.
func leftBehind(limit time.Duration) (stacks []string) {
	over := time.After(limit)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		if stacks = running(); len(stacks) == 0 {
			return nil
		}
		select {
		case <-look.C:
		case <-over:
			return stacks
		}
	}
}

// running returns the stacks with code of this module, except the caller's.
func running() (stacks []string) {
	var all bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&all, 2)
	for stack := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(stack, "minissh/") &&
			!strings.Contains(stack, "protocol/testend.running") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}
