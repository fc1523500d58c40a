package supervise

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// programOf is the path of the program to start, by the name that this one was started with: a link
// or a file that leads to another version meanwhile. If that name leads elsewhere now, it is the
// file of this program.
func programOf(name string) string {
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	own, ownErr := os.Stat("/proc/self/exe")
	if err == nil && ownErr == nil {
		if named, err := os.Stat(path); err == nil && os.SameFile(own, named) {
			return path
		}
	}
	path, err = os.Executable()
	if err != nil {
		return "/proc/self/exe"
	}
	return strings.TrimSuffix(path, " (deleted)")
}

// start starts a generation, for asker (nil: for nobody in particular).
func (s *supervisor) start(asker *generation) error {
	g := &generation{asker: asker}
	s.started = time.Now()
	pid, err := s.fork(g)
	if err != nil {
		return err
	}
	g.pid = pid
	s.all[pid], s.next = g, g
	go s.serve(g)
	s.later(startMost, func() {
		if s.next == g && !g.ready {
			g.why = Outcome{Err: fmt.Sprintf("it was not ready after %d seconds",
				startMost/time.Second)}
			syscall.Kill(pid, syscall.SIGKILL) // our child, and not reaped
		}
	})
	return nil
}

// fork makes the process of a generation, with its end of a link, its roll, and all that is held.
func (s *supervisor) fork(g *generation) (pid int, err error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, os.NewSyscallError("socketpair", err)
	}
	defer unix.Close(ends[1])
	if g.link, err = newLink(ends[0]); err != nil {
		return 0, err
	}
	files, keys := []uintptr{0, 1, 2, uintptr(ends[1])}, []string{}
	give := func(key string, fd int) {
		files, keys = append(files, uintptr(fd)), append(keys, key)
	}
	if fd, err := s.makeRoll(g); err == nil {
		defer unix.Close(fd)
		give(rollKey, fd)
	} else {
		s.Log.Warn("After a crash nobody stops the commands that it leaves", "error", err.Error())
	}
	if s.numbers >= 0 {
		give(numbersKey, s.numbers)
	}
	for key, fd := range s.held {
		give(key, fd)
	}
	pid, err = syscall.ForkExec(s.program, s.Args, &syscall.ProcAttr{Files: files,
		Env: append(os.Environ(), mark+"="+strconv.Itoa(os.Getpid()))})
	if err == nil {
		g.say(message{Kind: kindKeys, Keys: keys})
		return pid, nil
	}
	g.close()
	if errors.Is(err, syscall.ENOENT) {
		return 0, fmt.Errorf("%s is not there", s.program)
	}
	return 0, fmt.Errorf("%s: %w", s.program, err)
}

// makeRoll makes a generation's roll, and maps it.
func (s *supervisor) makeRoll(g *generation) (fd int, err error) {
	if fd, err = newMemory("minisshd-"+rollKey, rollSlots); err != nil {
		return -1, err
	}
	if g.slots, g.unmap, err = mapMemory(fd, rollSlots); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// close gives back what a supervisor has of a generation.
func (g *generation) close() {
	g.link.conn.Close()
	if g.unmap != nil {
		g.unmap()
		g.slots, g.unmap = nil, nil
	}
}

// upgrade starts the generation that is to replace the current one, because asker (nil: a signal)
// wants it.
func (s *supervisor) upgrade(asker *generation) {
	refuse := func(why string) {
		s.Log.Warn("The daemon is not replaced", "error", why)
		if asker != nil {
			asker.say(message{Kind: kindUpgraded, Text: why})
		}
	}
	switch {
	case s.stopping || s.leaving:
		refuse("it is being stopped")
	case s.next != nil:
		refuse("a new one is being started already")
	default:
		s.Log.Info("Replacing the daemon", "program", s.program)
		if err := s.start(asker); err != nil {
			refuse(err.Error())
		}
	}
}

// ready is when a generation could serve: the current one leaves, and the new one goes.
func (s *supervisor) ready(g *generation) {
	if g != s.next || s.stopping || s.leaving {
		return
	}
	old := s.current
	if old == nil {
		s.commit(g)
		return
	}
	old.say(message{Kind: kindLeave, PID: g.pid}) // if it does not listen, it does not answer
	s.later(leaveMost, func() {
		if s.next == g {
			s.Log.Warn("The old daemon does not answer; the new one serves next to it", "pid",
				old.pid)
			s.commit(g)
		}
	})
}

// commit has a generation serve.
func (s *supervisor) commit(g *generation) {
	if s.current != nil {
		s.Log.Info("The daemon is replaced", "old", s.current.pid, "new", g.pid)
	}
	s.current, s.next = g, nil
	s.served = true
	for key := range s.held {
		if !slices.Contains(g.uses, key) {
			s.drop(key)
		}
	}
	g.say(message{Kind: kindGo})
	if g.reload {
		syscall.Kill(g.pid, syscall.SIGHUP) // what it read may have changed since
	}
	if g.asker != nil && s.all[g.asker.pid] == g.asker {
		g.asker.say(message{Kind: kindUpgraded, PID: g.pid})
	}
	g.asker = nil
}
