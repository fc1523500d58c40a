//go:build linux

package main

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/transport"
)

// attackerAddress is where mallory comes from: limits for a source are hers alone.
var attackerAddress = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 66)}

// answerTime bounds what mallory waits for.
const answerTime = 15 * time.Second

// dial connects over TCP. The connection ends with the attack.
func (m *mallory) dial() (net.Conn, error) {
	dialer := net.Dialer{LocalAddr: attackerAddress, Timeout: answerTime}
	return m.owned(dialer.DialContext(m.ctx, "tcp",
		net.JoinHostPort(hostAddress, strconv.Itoa(hostPort))))
}

// dialSocket connects to the Unix socket.
func (m *mallory) dialSocket() (net.Conn, error) {
	var dialer net.Dialer
	return m.owned(dialer.DialContext(m.ctx, "unix", hostSocket))
}

func (m *mallory) owned(conn net.Conn, err error) (net.Conn, error) {
	if m.ctx.Err() != nil {
		return nil, errEnded
	}
	return conn, err
}

// link is a session of mallory's that speaks in raw frames.
type link struct {
	conn *transport.Conn
	in   *protocol.Reader

	mu   sync.Mutex // guards the rest, and writing
	last uint32     // the channel opened last
}

// greet does TLS and says HELLO, which change may change.
func (m *mallory) greet(user string, key keys.Identity, change func(*protocol.Hello)) (*link,
	error) {
	own, err := keys.Certificate(key)
	if err != nil {
		return nil, err
	}
	raw, err := m.dial()
	if err != nil {
		return nil, err
	}
	raw.SetDeadline(time.Now().Add(answerTime))
	conn, err := transport.Client(raw, nil, own, func(*x509.Certificate) error { return nil })
	if err != nil {
		raw.Close()
		return nil, err
	}
	conn.Authorized()
	l := &link{conn: conn, in: protocol.NewReader(conn)}
	var name [32]byte
	rand.Read(name[:])
	hello := &protocol.Hello{Protocol: protocol.ALPN, Session: hex.EncodeToString(name[:]),
		Epoch: 1, Create: true, User: user}
	change(hello)
	frame, err := protocol.AppendMessage(nil, protocol.TypeHello, 0, hello)
	if err == nil {
		_, err = conn.Write(frame)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return l, nil
}

// login is greet, and the daemon's answer.
func (m *mallory) login(user string, key keys.Identity) (*link, error) {
	return m.loginWith(user, key, func(*protocol.Hello) {})
}

// loginWith is login with a HELLO that is changed.
func (m *mallory) loginWith(user string, key keys.Identity, change func(*protocol.Hello)) (*link,
	error) {
	l, err := m.greet(user, key, change)
	if err != nil {
		return nil, err
	}
	f, err := l.in.Next()
	if err == nil && f.Type != protocol.TypeWelcome {
		err = fmt.Errorf("login as %s: %s", user, protocol.Describe(f, 0))
	}
	if err != nil {
		l.conn.Close()
		return nil, err
	}
	l.conn.SetDeadline(time.Time{})
	return l, nil
}

// send sends one frame.
func (l *link) send(kind protocol.Type, channel uint32, payload []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.conn.Write(protocol.AppendFrame(nil, kind, 0, channel, payload))
	return err
}

// open asks for something on a new channel.
func (l *link) open(request *protocol.Open) (uint32, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	channel := l.last + 2 - (l.last+1)%2 // 1, 3, 5, …
	frame, err := protocol.AppendMessage(nil, protocol.TypeOpen, channel, request)
	if err != nil {
		return 0, err
	}
	l.last = channel
	_, err = l.conn.Write(frame)
	return channel, err
}

// openAll sends n OPENs that ask for the same.
func (l *link) openAll(n int, request *protocol.Open) (channels []uint32, err error) {
	for range n {
		channel, err := l.open(request)
		if err != nil {
			return nil, err
		}
		channels = append(channels, channel)
	}
	return channels, nil
}

// read takes what comes, answers PING and CLOSE, and calls see with every frame, to the link's end.
func (l *link) read(see func(protocol.Frame)) error {
	for {
		f, err := l.in.Next()
		if err != nil {
			return err
		}
		switch f.Type {
		case protocol.TypePing:
			err = l.send(protocol.TypePong, 0, f.Payload)
		case protocol.TypeClose:
			err = l.send(protocol.TypeClose, f.Channel, []byte("{}"))
		case protocol.TypeError, protocol.TypeGoodbye:
			return errors.New(protocol.Describe(f, 0))
		}
		if err != nil {
			return err
		}
		see(f)
	}
}

// keeping is what keep opens, and how.
type keeping struct {
	user    string // mallory's own account, unless set
	key     keys.Identity
	n       int                        // channels at once in a session
	links   int                        // sessions, 1 unless set
	pause   time.Duration              // before what has ended is opened again
	request func(i int) *protocol.Open // what to open
	opened  func(l *link, ch uint32)   // called for each channel, may be nil
	closed  func()                     // called when one has ended, may be nil
}

// keep has a number of channels open all the time: what ends is opened again.
func (m *mallory) keep(k keeping) {
	if k.user == "" {
		k.user = "mallory"
	}
	if k.key.Public == nil {
		k.key = m.key
	}
	m.again(max(1, k.links), 50*time.Millisecond, func() error {
		l, err := m.login(k.user, k.key)
		if err != nil {
			return err
		}
		defer l.conn.Close()
		open := func(i int) error {
			channel, err := l.open(k.request(i))
			if err == nil && k.opened != nil {
				k.opened(l, channel)
			}
			return err
		}
		for i := range k.n {
			if err := open(i); err != nil {
				break // the reason can be read
			}
		}
		return l.read(func(f protocol.Frame) {
			if f.Type != protocol.TypeClose {
				return
			}
			if text := string(f.Payload); text != "{}" {
				m.note("%s", protocol.Describe(f, 0))
			}
			if k.closed != nil {
				k.closed()
			}
			if i := int(f.Channel/2) % k.n; k.pause == 0 {
				open(i)
			} else {
				time.AfterFunc(k.pause, func() { open(i) })
			}
		})
	})
}
