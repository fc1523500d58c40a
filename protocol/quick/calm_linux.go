package quick

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// CalmWatcher has the scheduler's watching thread wait for a processor until whoever works there rests or has had its share, by SCHED_BATCH (sched(7)). It
// wakes every 20 µs while a process is young, each time ahead of whoever works there: a fiftieth of the time of a client that lives for ten milliseconds.
// Its weight stays what it was, so that on a loaded machine it gets its share as before, only not at once. Threads that it makes later inherit this.
// Whatever fails is left as it is.
//
// The watching thread is the first that a process makes, so that of our threads it has the number next to ours.
func CalmWatcher() {
	pid := syscall.Getpid()
	for tid := pid + 1; tid <= pid+64; tid++ { // other processes may have taken some numbers
		if unix.Tgkill(pid, tid, 0) == nil {
			var param struct{ priority int32 }
			syscall.RawSyscall(syscall.SYS_SCHED_SETSCHEDULER, uintptr(tid), unix.SCHED_BATCH, uintptr(unsafe.Pointer(&param)))
			return
		}
	}
}
