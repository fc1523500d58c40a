//go:build linux || darwin

package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/tty"
)

// mostDrained is the most that is read of a terminal after its command's end, in bytes. The kernel
// holds less (64 KiB and a line buffer): what comes after that was written later.
const mostDrained = 256 << 10

var _ mux.TryWriter = typing{}

// terminal is our end of a command's pseudo-terminal. Reading returns its output, writing types.
type terminal struct {
	f        *os.File      // in the poller, so that Close and deadlines work (RULES C4)
	io       io.ReadWriter // f, by a shorter way if there is one
	name     string        // of the other end
	draining atomic.Bool
	left     atomic.Bool // another process has the terminal now
	drained  int         // bytes; the reader's
}

// openTerminal makes a terminal for a command of the given account: our end and the command's.
func openTerminal(spec *PTY, owner *Credential) (t *terminal, theirs *os.File, err error) {
	master, theirs, err := pty.Open()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrNoPTY, err)
	}
	defer master.Close()
	defer func() {
		if err != nil {
			theirs.Close()
		}
	}()
	slave := int(theirs.Fd()) // blocking from here on, as a command expects
	if owner != nil {
		if err := giveTerminal(theirs, owner); err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrNoPTY, err)
		}
	}
	if err := errors.Join(tty.SetModes(slave, spec.Modes),
		tty.SetSize(slave, spec.Size)); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrNoPTY, err)
	}
	// pty.Open may return a blocking file: closing that does not end a read (RULES C4).
	fd, err := unix.FcntlInt(master.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrNoPTY, err)
	}
	syscall.SetNonblock(fd, true)
	t = &terminal{f: os.NewFile(uintptr(fd), "pty"), name: theirs.Name()}
	t.io = shortWay(t.f)
	return t, theirs, nil
}

// giveTerminal makes an account the owner of its terminal, as sshd does; the group tty may write.
func giveTerminal(theirs *os.File, owner *Credential) error {
	gid, mode := int(owner.GID), os.FileMode(0o600)
	if group, err := user.LookupGroup("tty"); err == nil {
		if n, err := strconv.Atoi(group.Gid); err == nil {
			gid, mode = n, 0o620
		}
	}
	return errors.Join(theirs.Chown(int(owner.UID), gid), theirs.Chmod(mode))
}

// Read returns output. It ends when no process holds the other end any more (Linux says EIO), and
// after Drain as soon as nothing is left.
func (t *terminal) Read(p []byte) (int, error) {
	for !t.draining.Load() && !t.left.Load() {
		n, err := t.io.Read(p)
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, syscall.EIO):
			return n, io.EOF
		case errors.Is(err, os.ErrDeadlineExceeded):
			continue // Drain or LetGo woke us
		}
		return n, err
	}
	if t.left.Load() {
		return 0, io.EOF
	}
	return t.readLeft(p)
}

// readLeft reads without waiting. A read first brings up what was written before.
func (t *terminal) readLeft(p []byte) (n int, err error) {
	raw, err := t.f.SyscallConn()
	if err != nil || t.drained >= mostDrained {
		return 0, io.EOF
	}
	err = raw.Control(func(fd uintptr) {
		for {
			if n, err = unix.Read(int(fd), p); err != unix.EINTR {
				return
			}
		}
	})
	if err != nil || n <= 0 { // closed, EAGAIN or EIO
		return 0, io.EOF
	}
	t.drained += n
	return n, nil
}

// Write types.
func (t *terminal) Write(p []byte) (int, error) { return t.io.Write(p) }

// TryWrite types what the terminal takes without waiting, and returns how many bytes.
func (t *terminal) TryWrite(p []byte) int {
	if d, ok := t.io.(mux.TryWriter); ok {
		return d.TryWrite(p)
	}
	return 0
}

// Loud changes nothing: a terminal is never wide.
func (t *terminal) Loud() {}

// Close hangs up: the foreground process group gets HUP from the kernel.
func (t *terminal) Close() error { return t.f.Close() }

func (t *terminal) drain() {
	t.draining.Store(true)
	t.f.SetReadDeadline(time.Unix(1, 0))
}

// control calls do with the descriptor, unless it is closed.
func (t *terminal) control(do func(fd int) error) (err error) {
	raw, err := t.f.SyscallConn()
	if err != nil {
		return err
	}
	if e := raw.Control(func(fd uintptr) { err = do(int(fd)) }); e != nil {
		return e
	}
	return err
}

// foreground is the terminal's foreground process group, 0 if there is none or it is unknown.
func (t *terminal) foreground() (group int) {
	t.control(func(fd int) (err error) {
		group, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP)
		return err
	})
	return max(group, 0)
}

// shown is the Stdout of a command on a terminal. Closing it does nothing: when nobody holds the
// other end any more, the command may still be about to end, and a hang-up would then look like the
// cause. The terminal goes with the process, or with HangUp and Stop.
type shown struct{ *terminal }

func (shown) Close() error { return nil }

// typing is the Stdin of a command on a terminal. Only a character ends the input there (TE2).
type typing struct{ *terminal }

func (typing) Close() error { return nil }

// Resize gives the command's terminal another size; the foreground process group gets WINCH.
// Without a terminal it returns ErrNoPTY.
func (p *Process) Resize(size protocol.Size) error {
	if p.tty == nil {
		return ErrNoPTY
	}
	return p.tty.control(func(fd int) error { return tty.SetSize(fd, size) })
}

// Drain makes Stdout of a command on a terminal end when everything written so far has been read,
// even if something left running still holds the terminal (TE3). It is called after the command's
// end, and does nothing without a terminal.
func (p *Process) Drain() {
	if p.tty != nil {
		p.tty.drain()
	}
}
