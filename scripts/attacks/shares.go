//go:build linux

package main

import (
	"fmt"
	"strings"
	"time"

	"minissh/protocol"
)

// Attacks by one user who takes as much as there is.

// allSessions opens sessions until no more can be had, and holds them.
func allSessions(m *mallory) error {
	const many = 5000 // more than any daemon has
	full, one := countdown(1)
	slots := make(chan struct{}, many)
	m.again(16, time.Millisecond, func() error {
		l, err := m.login("mallory", m.key)
		if err != nil {
			one()
			m.wait(200 * time.Millisecond)
			return err
		}
		slots <- struct{}{}
		go func() {
			l.read(func(protocol.Frame) {})
			l.conn.Close()
			<-slots
		}()
		return nil
	})
	return m.lasting(full, 15*time.Second)
}

// flood runs commands as fast as they end.
func flood(m *mallory) error {
	some, one := countdown(100)
	m.keep(keeping{links: 4, n: 64, closed: one, request: func(int) *protocol.Open {
		return m.pinned("true")
	}})
	return m.on(some)
}

// longCommand runs until it is ended; its words fill a frame of 60 KB.
func (m *mallory) longCommand(int) *protocol.Open {
	return m.pinned("sh", "-c", "exec sleep 600", strings.Repeat("x", 60_000))
}

// longCommands runs as many commands of 60 KB as one user may, 16 in each session: no more of them
// fit (CH2).
func longCommands(m *mallory) error {
	const links, each = 32, 16
	all, one := countdown(links * each)
	m.keep(keeping{links: links, n: each, pause: time.Second, request: m.longCommand,
		opened: func(*link, uint32) { one() }})
	return m.lasting(all, 15*time.Second)
}

// brokenSessions opens more long commands than a session may: it is ended, its commands are
// stopped, and the next one does the same.
func brokenSessions(m *mallory) error {
	some, one := countdown(20 * 16)
	m.keep(keeping{links: 20, n: 17, pause: time.Second, request: m.longCommand,
		opened: func(*link, uint32) { one() }})
	return m.lasting(some, 15*time.Second)
}

// silentLinks holds sessions with a command in each; the system acknowledges what comes, and nobody
// answers: so it looks to the daemon when a relay, or a NAT box, has lost its client.
func silentLinks(m *mallory) error {
	const many = 100
	all, one := countdown(many)
	m.again(many, time.Second, func() error {
		defer one()
		l, err := m.login("mallory", m.key)
		if err != nil {
			return err
		}
		defer l.conn.Close()
		if _, err := l.open(&protocol.Open{
			Service: "exec", Command: protocol.Bytes("exec sleep 600")}); err != nil {
			return err
		}
		one()
		for {
			if _, err := l.in.Next(); err != nil {
				return err
			}
		}
	})
	return m.on(all)
}

// heldSessions leaves sessions behind that wait for their client, with all that it may make the
// daemon keep: output that was read and never acknowledged, and input that no command takes.
func heldSessions(m *mallory) error {
	const output = 2 << 20
	some, one := countdown(100)
	m.again(16, time.Second, func() error {
		defer one()
		l, err := m.loginWith("mallory", m.key, func(h *protocol.Hello) {
			h.Resend, h.Hold = 64<<20, 24*3600
		})
		if err != nil {
			m.wait(200 * time.Millisecond)
			return err
		}
		defer l.conn.Close()
		channel, err := l.open(m.pinned("sh", "-c",
			fmt.Sprintf("head -c %d /dev/zero; exec sleep 600", output)))
		if err != nil {
			return err
		}
		credit := protocol.AppendNumber(nil, protocol.TypeWindow, channel, output)
		if _, err := l.conn.Write(credit); err != nil {
			return err
		}
		go func() { // until the window is full, or the link gone
			for n := 0; n < protocol.InitialWindow; n += 16 << 10 {
				if l.send(protocol.TypeStdin, channel, make([]byte, 16<<10)) != nil {
					return
				}
			}
		}()
		for n := 0; n < output; {
			l.conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			f, err := l.in.Next()
			if err != nil {
				return nil // it has stopped sending: it keeps what it may
			}
			n += int(f.Length)
		}
		return nil
	})
	return m.lasting(some, 15*time.Second)
}
