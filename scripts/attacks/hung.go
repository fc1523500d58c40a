//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol"
)

// Paths that hang: a FUSE mount whose server never answers, a lease, a named pipe.

// hungAtOnce is how many commands hang at a time: more than the daemon has processors.
const hungAtOnce = 8

// Requests of FUSE (fuse(4), linux/fuse.h).
const (
	fuseInHeader  = 40
	fuseOutHeader = 16
	fuseInitOut   = 64
	fuseInit      = 26
)

// answerInit serves the i-th mount of the scene: it answers INIT and nothing else. The event is
// that somebody waits for an answer.
func (m *mallory) answerInit(i int) (touched <-chan struct{}) {
	event, one := countdown(1)
	go func() {
		request := make([]byte, 1<<18)
		for {
			n, err := unix.Read(3+i, request)
			if err == unix.EINTR || err == unix.ENOENT {
				continue
			}
			if err != nil || n < fuseInHeader {
				m.note("FUSE: %v", err)
				return
			}
			if binary.NativeEndian.Uint32(request[4:]) != fuseInit {
				one()
				continue
			}
			answer := make([]byte, fuseOutHeader+fuseInitOut)
			binary.NativeEndian.PutUint32(answer, uint32(len(answer)))
			copy(answer[8:16], request[8:16])                      // unique
			binary.NativeEndian.PutUint32(answer[16:], 7)          // major
			binary.NativeEndian.PutUint32(answer[20:], 31)         // minor
			binary.NativeEndian.PutUint32(answer[16+20:], 128<<10) // max_write
			if _, err := unix.Write(3+i, answer); err != nil {
				m.note("FUSE: %v", err)
			}
		}
	}()
	return event
}

// hungAt prepares a scene with a mount at a path below somebody's home.
func hungAt(name, below string) func(*scene) error {
	return func(s *scene) error {
		p := s.w.people[name]
		return s.hang(filepath.Join(p.home, below), p)
	}
}

func words(argv ...string) (all []protocol.Bytes) {
	for _, word := range argv {
		all = append(all, protocol.Bytes(word))
	}
	return all
}

// hungDirectory starts commands in a directory that does not answer, with a shell and without one.
func hungDirectory(m *mallory) error {
	touched := m.answerInit(0)
	dir := protocol.Bytes(filepath.Join(m.home, "hung"))
	m.keep(keeping{n: hungAtOnce, pause: 50 * time.Millisecond,
		request: func(i int) *protocol.Open {
			if i%2 == 0 {
				return &protocol.Open{Service: "exec", Command: protocol.Bytes("true"), Dir: dir}
			}
			return &protocol.Open{Service: "exec", Argv: words("true"), Dir: dir}
		}})
	return m.on(touched)
}

// hungProgram starts a program that is in such a directory.
func hungProgram(m *mallory) error {
	touched := m.answerInit(0)
	m.keep(keeping{n: hungAtOnce, pause: 50 * time.Millisecond, request: func(int) *protocol.Open {
		return &protocol.Open{Service: "exec", Argv: words(filepath.Join(m.home, "hung/program"))}
	}})
	return m.on(touched)
}

// hungHome starts login shells whose home is such a directory.
func hungHome(m *mallory) error {
	touched := m.answerInit(0)
	m.keep(keeping{user: "trudy", n: hungAtOnce, pause: 50 * time.Millisecond,
		request: func(int) *protocol.Open {
			return &protocol.Open{Service: "exec", Shell: true,
				PTY: &protocol.PTY{Term: protocol.Bytes("xterm")}}
		}})
	return m.on(touched)
}

// hungKeys logs in to an account whose authorized_keys is in such a directory.
func hungKeys(m *mallory) error {
	touched := m.answerInit(0)
	m.tryLogins("trudy", 40)
	return m.on(touched)
}

// pipedKeys logs in to an account whose authorized_keys is a named pipe.
func pipedKeys(m *mallory) error {
	m.tryLogins("trudy", 40)
	return m.on(nil)
}

// tryLogins has n logins under way all the time.
func (m *mallory) tryLogins(user string, n int) {
	m.again(n, 50*time.Millisecond, func() error {
		l, err := m.login(user, m.key)
		if err != nil {
			return err
		}
		l.conn.Close()
		return nil
	})
}

// copying asks for a file, or for a place to put one.
func copying(i int, path string) *protocol.Open {
	if i%2 == 0 {
		return &protocol.Open{Service: "files", Files: &protocol.Files{Mode: protocol.FilesGet,
			Sources: words(path)}}
	}
	return &protocol.Open{Service: "files", Files: &protocol.Files{Mode: protocol.FilesPut,
		Target: protocol.Bytes(path)}}
}

// hungFiles gets and puts files in such a directory.
func hungFiles(m *mallory) error {
	touched := m.answerInit(0)
	m.keep(keeping{n: hungAtOnce, pause: 50 * time.Millisecond,
		request: func(i int) *protocol.Open {
			return copying(i, filepath.Join(m.home, "hung/file"))
		}})
	return m.on(touched)
}

// leasedPrograms prepares programs for leases.
func leasedPrograms(s *scene) error {
	p := s.w.people["mallory"]
	for i := range hungAtOnce {
		if err := s.program(leased(p.home, i), p); err != nil {
			return err
		}
	}
	return nil
}

func leased(home string, i int) string { return filepath.Join(home, fmt.Sprintf("leased%d", i)) }

// leases holds a write lease on each of her programs, and starts them: execve(2) waits until the
// lease is given back, or until the kernel takes it after 45 s.
func leases(m *mallory) error {
	broken := make(chan os.Signal, 16)
	signal.Notify(broken, unix.SIGIO)
	event, one := countdown(1)
	take := func(i int) error {
		f, err := os.Open(leased(m.home, i))
		if err != nil {
			return err
		}
		if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
			return fmt.Errorf("a lease: %w", err)
		}
		go func() { <-m.ctx.Done(); f.Close() }() // and is open till then
		return nil
	}
	for i := range hungAtOnce {
		if err := take(i); err != nil {
			return err
		}
	}
	go func() {
		for range broken {
			one()
		}
	}()
	m.keep(keeping{n: hungAtOnce, pause: 50 * time.Millisecond,
		request: func(i int) *protocol.Open {
			return &protocol.Open{Service: "exec", Argv: words(leased(m.home, i))}
		}})
	return m.on(event)
}

// pipedFiles gets and puts a named pipe.
func pipedFiles(m *mallory) error {
	m.keep(keeping{n: hungAtOnce, pause: 50 * time.Millisecond,
		request: func(i int) *protocol.Open {
			return copying(i, filepath.Join(m.home, "pipe"))
		}})
	return m.on(nil)
}

// pipedPattern has a restricted key get what a pattern finds, and the pattern leads through a pipe.
func pipedPattern(m *mallory) error {
	m.keep(keeping{key: m.box, n: hungAtOnce, pause: 50 * time.Millisecond,
		request: func(int) *protocol.Open { return copying(0, "*/x") }})
	return m.on(nil)
}
