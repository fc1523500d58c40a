// Package testend looks, at the end of a package's tests, for goroutines that outlive them.
package testend

import (
	"bytes"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"
)

// patience is how long a goroutine that is about to end (one that context.AfterFunc started, say) may take to do so.
const patience = 10 * time.Second

// LeftBehind gives the stacks of goroutines that run code whose path contains `of`, and do not end. It is called from TestMain.
func LeftBehind(of string) (stacks []string) {
	for deadline := time.Now().Add(patience); ; runtime.Gosched() {
		if stacks = running(of); len(stacks) == 0 || time.Now().After(deadline) {
			return stacks
		}
	}
}

func running(of string) (stacks []string) {
	var all bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&all, 2)
	for stack := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(stack, of) && !strings.Contains(stack, "TestMain") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}
