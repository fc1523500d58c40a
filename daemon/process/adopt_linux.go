package process

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNotHanded means that a command cannot be handed to another process.
var ErrNotHanded = errors.New("only a command with a terminal can be handed on")

// Terminal is one more descriptor of our end of the command's terminal, for the process that it is
// handed to. The caller closes it.
func (p *Process) Terminal() (f *os.File, err error) {
	if p.tty == nil || p.lines != nil {
		return nil, ErrNotHanded
	}
	err = p.tty.control(func(fd int) error {
		copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err == nil {
			f = os.NewFile(uintptr(copied), "pty")
		}
		return err
	})
	return f, err
}

// LetGo ends our part in a command whose terminal another process has now: Stdout ends where it is,
// what is typed is dropped, and nothing is hung up. The process is still ours to wait for.
func (p *Process) LetGo() {
	p.tty.left.Store(true)
	p.tty.f.SetDeadline(time.Unix(1, 0))
}

// CloseTerminal closes our end of a command's terminal, after LetGo: the other process's is the
// last one then. The command outlives this process, too: it is no longer on the roll.
func (p *Process) CloseTerminal() {
	if roll != nil {
		roll.Ends(p.PID)
	}
	p.tty.Close()
}

// Adopt is a command that its parent has handed on, with its terminal, which is the Process's from
// here on. ended waits for the parent to say how the command ended; ok is false if the parent is
// gone. As long as it is not, the parent keeps the command's number, also when that has ended, for
// at least as long as this process lives.
func Adopt(pid int, name string, terminalFD int, ended func() (r Result, ok bool)) (*Process,
	error) {
	unix.SetNonblock(terminalFD, true)
	t := &terminal{f: os.NewFile(uintptr(terminalFD), "pty"), name: name}
	pidfd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		t.Close()
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	t.io = shortWay(t.f)
	p := &Process{PID: pid, TTY: name, tty: t, started: time.Now(), done: make(chan struct{}),
		Stdin: typing{t}, Stdout: shown{t}, Stderr: noOutput{}}
	p.sys.pidfd = -1
	go p.awaitParent(os.NewFile(uintptr(pidfd), "pidfd"), ended)
	return p, nil
}

// awaitParent is the one goroutine of a command that was adopted.
func (p *Process) awaitParent(pidfd *os.File, ended func() (Result, bool)) {
	defer pidfd.Close()
	result, told := ended()
	if !told {
		result = Result{How: Unknown, Err: errors.New("its parent has gone")}
		awaitEnd(pidfd)
	}
	p.mu.Lock()
	p.result, p.exited, p.orphaned = result, true, !told
	p.mu.Unlock()
	close(p.done)
}

// awaitEnd waits for a process to end, by its pidfd, which can be read then and does not block.
func awaitEnd(pidfd *os.File) {
	raw, err := pidfd.SyscallConn()
	if err != nil {
		return
	}
	raw.Read(func(fd uintptr) bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return n != 0 || err != nil && err != unix.EINTR
	})
}

// lookTime is how often a process is looked at where the kernel has no pidfds (Linux before 5.2).
const lookTime = time.Second

// AwaitForked waits for the end of a process that has just been forked (Origin) and is not this
// one's child. pidfd, which it closes, is -1 where the kernel has none.
func AwaitForked(pid, pidfd int) {
	if pidfd >= 0 {
		unix.SetNonblock(pidfd, true)
		file := os.NewFile(uintptr(pidfd), "pidfd")
		defer file.Close()
		awaitEnd(file)
		return
	}
	// what this opens is that process's for ever: no later one with its number is mistaken for it
	dir, err := unix.Open(fmt.Sprintf("/proc/%d", pid), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(dir)
	for unix.Faccessat(dir, "stat", unix.F_OK, 0) == nil {
		time.Sleep(lookTime)
	}
}
