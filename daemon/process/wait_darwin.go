package process

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// holdsEnded is false: darwin's waitid tells neither usage nor, reliably, the
// whole exit code, so the leader is reaped as soon as it has ended.
const holdsEnded = false

// system is what darwin adds to a Process: nothing.
type system struct{}

func (*system) prepare(*syscall.SysProcAttr) {}

func pipe() (r, w int, err error) {
	var fds [2]int
	// No pipe2 here: the lock keeps a fork from coming between the two steps.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err = syscall.Pipe(fds[:]); err != nil {
		return 0, 0, err
	}
	syscall.CloseOnExec(fds[0])
	syscall.CloseOnExec(fds[1])
	return fds[0], fds[1], nil
}

// await returns when the leader has ended, not yet reaped. The result is
// filled in by reap, before Done.
func (p *Process) await() {
	const idPID, wExited, wNoWait = 1, 4, 0x20
	var info [16]uint64 // siginfo_t is 104 bytes
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, idPID, uintptr(p.PID), uintptr(unsafe.Pointer(&info[0])), wExited|wNoWait, 0, 0)
		if errno != syscall.EINTR {
			return
		}
	}
}

// reap takes the leader away and notes how it ended.
func (p *Process) reap() {
	var status syscall.WaitStatus
	var usage syscall.Rusage
	var err error
	for {
		if _, err = syscall.Wait4(p.PID, &status, 0, &usage); err != syscall.EINTR {
			break
		}
	}
	r := &p.result
	switch {
	case err != nil:
		r.How, r.Err = Unknown, os.NewSyscallError("wait4", err)
		return
	case status.Signaled():
		r.How, r.Number, r.Core = Signalled, int(status.Signal()), status.CoreDump()
		r.Signal = signalName(unix.Signal(status.Signal()))
	default:
		r.How, r.Code = Exited, status.ExitStatus()
	}
	r.User = time.Duration(usage.Utime.Nano())
	r.System = time.Duration(usage.Stime.Nano())
	r.MaxRSS = usage.Maxrss
}
