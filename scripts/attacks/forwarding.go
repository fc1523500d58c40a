//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"time"

	"minissh/protocol"
)

// Attacks by ports and sockets that the daemon listens on for mallory, and by those who connect to
// them.

// Where mallory has the daemon listen.
const (
	floodedPort = 7801
	leftPort    = 7802 // and those after it
)

// on is a place to listen on.
func on(port int) *protocol.Open {
	return &protocol.Open{Service: "forward",
		Listen: &protocol.Target{Host: "localhost", Port: port}}
}

// next is the next connection to a listener.
func next(service string, listener uint32) *protocol.Open {
	return &protocol.Open{Service: service, Accept: true, In: int64(listener)}
}

// opened waits for a channel's OPENED.
func (l *link) opened(channel uint32) (*protocol.Opened, error) {
	for {
		f, err := l.in.Next()
		if err != nil {
			return nil, err
		}
		if f.Channel != channel {
			continue
		}
		if f.Type != protocol.TypeOpened {
			return nil, errors.New(protocol.Describe(f, 0))
		}
		said := new(protocol.Opened)
		return said, f.Decode(said)
	}
}

// portFlood has 5,000 programs at a time connect to one port, of which eight channels take what
// comes, and end it.
func portFlood(m *mallory) error {
	const many = 5000
	l, err := m.login("mallory", m.key)
	if err != nil {
		return err
	}
	listener, err := l.open(on(floodedPort))
	if err == nil {
		_, err = l.opened(listener)
	}
	if err == nil {
		_, err = l.openAll(8, next("forward", listener))
	}
	if err != nil {
		return err
	}
	some, one := countdown(100)
	go l.read(func(f protocol.Frame) {
		switch f.Type {
		case protocol.TypeOpened:
			l.send(protocol.TypeEOF, f.Channel, []byte{byte(protocol.TypeStdin)})
		case protocol.TypeClose:
			one()
			l.open(next("forward", listener))
		}
	})
	dialer := net.Dialer{Timeout: answerTime}
	m.again(many, 10*time.Millisecond, func() error {
		conn, err := dialer.DialContext(m.ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", floodedPort))
		if err != nil {
			return nil // the system has no room for more: that is the flood
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(answerTime))
		conn.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, conn)
		return nil
	})
	return m.lasting(some, 15*time.Second)
}

// listenersFlood begins and ends listeners as fast as that goes.
func listenersFlood(m *mallory) error {
	some, one := countdown(50)
	m.keep(keeping{links: 4, n: 16, closed: one,
		request: func(int) *protocol.Open { return on(0) },
		opened: func(l *link, channel uint32) {
			l.send(protocol.TypeEOF, channel, []byte{byte(protocol.TypeStdin)})
		}})
	return m.lasting(some, 15*time.Second)
}

// leftPorts leaves sessions behind that listen, asks for their ports anew, and connects to them.
func leftPorts(m *mallory) error {
	const ports = 4
	some, one := countdown(40)
	turn := make(chan int, 1)
	turn <- 0
	m.again(16, 10*time.Millisecond, func() error {
		i := <-turn
		turn <- i + 1
		l, err := m.loginWith("mallory", m.key, func(h *protocol.Hello) {
			h.Resend, h.Hold = protocol.MinResend, 3600
		})
		if err != nil {
			m.wait(200 * time.Millisecond)
			return err
		}
		defer l.conn.Close()
		defer one()
		listener, err := l.open(on(leftPort + i%ports))
		if err != nil {
			return err
		}
		l.conn.SetReadDeadline(time.Now().Add(answerTime))
		if _, err = l.opened(listener); err != nil {
			return nil // another session has it
		}
		l.openAll(4, next("forward", listener))
		for range 4 {
			conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", leftPort+i%ports))
			if err == nil {
				defer conn.Close()
				io.WriteString(conn, "hello")
			}
		}
		return nil
	})
	return m.lasting(some, 15*time.Second)
}

// agentsFlood lends an agent eight times in a session. Programs there announce a message of 4 GiB
// and send as much of it as goes, and nobody takes it.
func agentsFlood(m *mallory) error {
	const lent, programs = 8, 6
	all, one := countdown(lent * programs)
	junk := append([]byte{0xff, 0xff, 0xff, 0xff}, make([]byte, 64<<10)...) // 4 GiB follow
	program := func(path string) {
		conn, err := net.Dial("unix", path)
		if err != nil {
			m.note("%v", err)
			return
		}
		defer conn.Close()
		conn.SetWriteDeadline(time.Now().Add(time.Second))
		for err == nil { // until what nobody takes fills all there is
			_, err = conn.Write(junk)
		}
		one()
		m.wait(time.Minute)
	}
	m.again(2, 50*time.Millisecond, func() error {
		l, err := m.login("mallory", m.key)
		if err != nil {
			return err
		}
		defer l.conn.Close()
		for range lent {
			listener, err := l.open(&protocol.Open{Service: "agent"})
			if err != nil {
				return err
			}
			said, err := l.opened(listener)
			if err != nil {
				return err
			}
			if !filepath.IsAbs(string(said.Path)) {
				return fmt.Errorf("the agent's path is %q", said.Path)
			}
			if _, err := l.openAll(programs, next("agent", listener)); err != nil {
				return err
			}
			for range programs {
				go program(string(said.Path))
			}
		}
		return l.read(func(protocol.Frame) {})
	})
	return m.lasting(all, 15*time.Second)
}
