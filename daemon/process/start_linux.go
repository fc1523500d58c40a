package process

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// holdsEnded says that a leader stays a zombie between its end and Close.
const holdsEnded = true

// fionread asks how many bytes a pipe holds (ioctl_tty(2), FIONREAD).
const fionread = unix.TIOCINQ

// system is what Linux adds to a Process.
type system struct {
	pidfd  int      // -1 where the kernel has none
	ourKB  int64    // the peak of the process that executed the command, before it did
	before [2]int64 // nanoseconds of processor time that its stage took, in user and in system mode
}

func (s *system) prepare(attr *syscall.SysProcAttr) {
	s.pidfd = -1
	attr.PidFD = &s.pidfd
	var usage unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &usage) == nil {
		s.ourKB = int64(usage.Maxrss)
	}
}

// messageSocket keeps messages apart, and ends with the process at the other end.
const messageSocket = unix.SOCK_SEQPACKET

func pipe() (r, w int, err error) {
	var fds [2]int
	err = unix.Pipe2(fds[:], unix.O_CLOEXEC)
	return fds[0], fds[1], err
}

// await returns when the leader has ended, leaving it a zombie, and fills in the result. With a
// pidfd it waits in Go's poller and so holds no thread.
func (p *Process) await() {
	if fd := p.sys.pidfd; fd >= 0 {
		unix.SetNonblock(fd, true)
		file := os.NewFile(uintptr(fd), "pidfd")
		defer file.Close()
		if raw, err := file.SyscallConn(); err == nil {
			err = raw.Read(func(uintptr) bool { return p.look(unix.WNOHANG) })
			if err == nil {
				return
			}
		}
	}
	p.look(0)
}

// look asks for the leader's end without reaping it, and says whether it came.
func (p *Process) look(flags int) bool {
	var info unix.Siginfo
	var usage unix.Rusage
	for {
		err := unix.Waitid(unix.P_PID, p.PID, &info, unix.WEXITED|unix.WNOWAIT|flags, &usage)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			p.result = Result{How: Unknown, Err: os.NewSyscallError("waitid", err)}
			return true
		}
		break
	}
	if info.Signo == 0 {
		return false // WNOHANG, and it still runs
	}
	p.result = outcome(info.Code, childField(&info, 2))
	p.result.User = time.Duration(max(0, usage.Utime.Nano()-p.sys.before[0]))
	p.result.System = time.Duration(max(0, usage.Stime.Nano()-p.sys.before[1]))
	// exec accounts the pages of the process that forked (here: all of the daemon's or stage's) to
	// the new program, so a figure not above ours says nothing.
	if peak := int64(usage.Maxrss); peak > p.sys.ourKB {
		p.result.MaxRSS = peak * 1024
	}
	return true
}

// outcome translates the two fields of a SIGCHLD siginfo, waitid(2).
func outcome(code int32, status int) Result {
	const cldExited, cldKilled, cldDumped = 1, 2, 3
	switch code {
	case cldExited:
		return Result{How: Exited, Code: status}
	case cldKilled, cldDumped:
		return Result{How: Signalled, Signal: signalName(syscall.Signal(status)), Number: status,
			Core: code == cldDumped}
	}
	return Result{How: Unknown, Err: os.NewSyscallError("waitid", unix.EINVAL)}
}

// childField reads an int of siginfo's part about a child, waitid(2): 0 is si_pid, 2 is si_status.
// After three ints comes an aligned union of pid, uid and status.
func childField(info *unix.Siginfo, n int) int {
	const union = (12 + strconv.IntSize/8 - 1) / (strconv.IntSize / 8) * (strconv.IntSize / 8)
	return int(*(*int32)(unsafe.Add(unsafe.Pointer(info), union+4*n)))
}

// ReapMembers reaps what has ended of a process group, but not its leader, which is a Process. What
// an Origin has forked is the daemon's child, but nobody knows its number until it is a stage; and
// only then does it leave the Origin's group.
func ReapMembers(group int) {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PGID, group, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		pid := childField(&info, 0)
		if err != nil || info.Signo == 0 || pid == group {
			return
		}
		unix.Wait4(pid, nil, unix.WNOHANG, nil)
	}
}

// reap takes the ended leader away. It is a zombie, so this does not wait.
func (p *Process) reap() {
	for {
		if _, err := unix.Wait4(p.PID, nil, 0, nil); err != unix.EINTR {
			return
		}
	}
}

// withKeyring runs start, which forks. A process of another account begins with a session keyring
// of its own (session-keyring(7)), as pam_keyinit gives it to logins: otherwise it would have the
// daemon's, and all accounts could use and change the keys in it. If the kernel has or allows no
// keyrings, there is nothing to share. A command of the daemon's own account keeps the daemon's
// keyring, and so does root's, who may use everybody's.
func withKeyring(as *Credential, start func()) {
	if as == nil || as.UID == 0 {
		start()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		// a keyring is a thread's; this thread ends with its goroutine
		runtime.LockOSThread()
		unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0)
		start()
	}()
	<-done
}

// spared says whether the kernel kills the daemon late when memory runs out (OOMScoreAdjust=).
var spared = sync.OnceValue(func() bool {
	text, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		return false
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	return err == nil && n < 0
})

// unspare takes that from a command, which has inherited it: what a user runs is not the daemon.
// What the command starts before that keeps it.
func unspare(pid int) {
	if spared() {
		os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte("0"), 0)
	}
}
