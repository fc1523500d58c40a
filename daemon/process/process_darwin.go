package process

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// holdsEnded is false: darwin's waitid returns neither usage nor, reliably, the whole exit code, so
// the leader is reaped as soon as it has ended.
const holdsEnded = false

// fionread asks how many bytes a pipe holds (filio.h, FIONREAD).
const fionread = 0x4004667f

// system is what darwin adds to a Process: nothing.
type system struct{}

func (*system) prepare(*syscall.SysProcAttr) {}

// messageSocket keeps messages apart; this system has none that also ends.
const messageSocket = syscall.SOCK_DGRAM

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

// await returns when the leader has ended. reap fills the result in, before Done.
func (p *Process) await() {
	const idPID, wExited, wNoWait = 1, 4, 0x20
	var info [16]uint64 // siginfo_t is 104 bytes
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, idPID, uintptr(p.PID),
			uintptr(unsafe.Pointer(&info[0])), wExited|wNoWait, 0, 0)
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

// hangUp sends HUP and CONT to the group.
func (p *Process) hangUp() {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.reaped || p.released {
		return
	}
	syscall.Kill(-p.PID, unix.SIGHUP)
	syscall.Kill(-p.PID, unix.SIGCONT)
}

// sweep kills the group if asked, and says whether the leader still runs. darwin has no list of a
// session's members: only the group is dealt with, until its leader is reaped.
func (p *Process) sweep(kill bool) ([]Survivor, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.reaped || p.released {
		return nil, ErrFinished
	}
	if kill {
		if err := syscall.Kill(-p.PID, unix.SIGKILL); err != nil && err != unix.EPERM &&
			err != unix.ESRCH {
			return nil, err
		}
	}
	return p.members(nil)
}

// members is the leader while it lives.
func (p *Process) members(any) ([]Survivor, error) {
	if p.exited {
		return nil, nil
	}
	return []Survivor{{PID: p.PID}}, nil
}

// HangUp is Stop: darwin has no list of a session's members to choose from.
func (p *Process) HangUp(ctx context.Context, grace time.Duration) ([]Survivor, error) {
	return p.Stop(ctx, grace)
}

// signalForeground does nothing here: nobody knows which groups belong to the command's session.
func (p *Process) signalForeground(unix.Signal) bool { return false }

// signalStopped does nothing here, as above.
func (p *Process) signalStopped() {}

func shortWay(f *os.File) io.ReadWriter { return f }

// output is our end of a pipe that the command writes to.
type output struct{ *os.File }

func newOutput(f *os.File) output { return output{f} }

// Loud changes nothing on this system.
func (output) Loud() {}

// input is our end of a pipe that the command reads from.
type input struct{ *os.File }

// Loud changes nothing here.
func (input) Loud() {}

// ignored says whether a signal is ignored, as far as the runtime knows.
func ignored(sig syscall.Signal) bool { return signal.Ignored(sig) }

// clearMask is for Linux only.
func clearMask() {}

// withKeyring runs start; only Linux has keyrings.
func withKeyring(_ *Credential, start func()) { start() }

func unspare(int) {}
