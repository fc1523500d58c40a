package quick

import (
	"runtime"
	"testing"
)

// A goroutine that has grown its stack needs no larger one for what fits: the stacks in use do not grow again with the depth of calls.
func TestGrowStack(t *testing.T) {
	inUse := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.StackInuse
	}
	const goroutines = 64
	grown, deep, end := make(chan bool), make(chan bool), make(chan bool)
	for range goroutines {
		go func() {
			GrowStack()
			grown <- true
			<-deep
			descend(50)
			grown <- true
			<-end
		}()
	}
	wait := func() {
		for range goroutines {
			<-grown
		}
	}
	wait()
	before := inUse()
	if before < goroutines*32<<10 {
		t.Errorf("%d goroutines have %d bytes of stack, less than 32 KiB each", goroutines, before)
	}
	close(deep)
	wait()
	if after := inUse(); after > before+goroutines*4<<10 {
		t.Errorf("calls made the stacks of %d goroutines grow from %d to %d bytes", goroutines, before, after)
	}
	close(end)
}

// descend uses some 200 bytes of stack for each call.
//
//go:noinline
func descend(n int) byte {
	var frame [200]byte
	if n > 0 {
		frame[n] = descend(n - 1)
	}
	return frame[n]
}
