//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol"
)

// Attacks with processes: too many, deaf ones, stopped ones.

// pinned is a command that runs on the attacker's processor.
func (m *mallory) pinned(argv ...string) *protocol.Open {
	return &protocol.Open{
		Service: "exec", Argv: words(append([]string{"taskset", "-c", m.cpu}, argv...)...)}
}

// forks starts processes until no more can be had, and asks for commands meanwhile. bash tries
// again when it cannot fork.
func forks(m *mallory) error {
	m.keep(keeping{n: 2, pause: 100 * time.Millisecond, request: func(int) *protocol.Open {
		return m.pinned("bash", "-c", "while :; do sleep 600 & done 2>/dev/null")
	}})
	full, one := countdown(8)
	m.keep(keeping{n: 4, pause: 50 * time.Millisecond, request: func(int) *protocol.Open {
		return m.pinned("sleep", "0.1")
	}, closed: one})
	return m.on(full)
}

// deafCommands runs 256 commands that ignore HUP, leaves them all at once, and does so again.
func deafCommands(m *mallory) error {
	const links, each = 4, 64
	first, one := countdown(1)
	m.again(1, time.Millisecond, func() error {
		var open []*link
		defer func() {
			for _, l := range open {
				l.conn.Close()
			}
		}()
		for range links {
			l, err := m.login("mallory", m.key)
			if err != nil {
				return err
			}
			open = append(open, l)
			started, another := countdown(each)
			go l.read(func(f protocol.Frame) {
				if f.Type == protocol.TypeOpened || f.Type == protocol.TypeClose {
					another()
				}
			})
			for range each {
				if _, err := l.open(
					m.pinned("sh", "-c", "trap '' HUP TERM INT; exec sleep 600")); err != nil {
					return err
				}
			}
			select {
			case <-started:
			case <-m.ctx.Done():
			case <-time.After(answerTime):
				m.note("not all commands have begun")
			}
		}
		one()
		return nil
	})
	return m.on(first)
}

// bigFile is a file whose transfer does not end by itself.
func bigFile(s *scene) error {
	p := s.w.people["mallory"]
	path := filepath.Join(p.home, "big")
	s.undone = append(s.undone, func() { os.Remove(path) })
	if err := p.own(path, 0o600, []byte("big")); err != nil {
		return err
	}
	return os.Truncate(path, 1<<36)
}

// stoppedHelpers begins transfers, stops the daemon's helpers that work for her, and leaves.
func stoppedHelpers(m *mallory) error {
	first, one := countdown(1)
	m.again(4, 50*time.Millisecond, func() error {
		l, err := m.login("mallory", m.key)
		if err != nil {
			return err
		}
		defer l.conn.Close()
		channels, err := l.openAll(4, copying(0, filepath.Join(m.home, "big")))
		if err != nil {
			return err
		}
		go l.read(func(protocol.Frame) {})
		m.wait(100 * time.Millisecond)
		for _, pid := range processesOf(uint32(os.Getuid())) {
			if strings.Contains(readStatus(pid, "Name"), "minisshd") {
				if unix.Kill(pid, unix.SIGSTOP) == nil {
					one()
				}
			}
		}
		for _, channel := range channels {
			if err := l.send(protocol.TypeClose, channel, []byte("{}")); err != nil {
				return err
			}
		}
		m.wait(500 * time.Millisecond)
		return nil
	})
	return m.on(first)
}
