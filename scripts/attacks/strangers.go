//go:build linux

package main

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"time"

	"minissh/protocol"
)

// Attacks that need no account.

// longALPN offers as many names as may be read before a login (ID8): crypto/tls has them in its
// error, four characters for each of these bytes.
func longALPN(m *mallory) error {
	var names []string
	for range 56 {
		names = append(names, strings.Repeat("\xff", 255))
	}
	some, one := countdown(20)
	m.again(4, time.Millisecond, func() error {
		conn, err := m.dial()
		if err != nil {
			return err
		}
		defer conn.Close()
		defer one()
		conn.SetDeadline(time.Now().Add(answerTime))
		tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: names,
			MinVersion: tls.VersionTLS13}).Handshake()
		return nil
	})
	return m.on(some)
}

// manyConnections is how many a stranger tries to hold.
const manyConnections = 3000

// hold keeps connections open until they are closed from the other side, and makes them anew.
func (m *mallory) hold(dial func() (net.Conn, error)) error {
	all, one := countdown(manyConnections)
	slots := make(chan struct{}, 16) // that many begin at once
	m.again(manyConnections, 500*time.Millisecond, func() error {
		slots <- struct{}{}
		conn, err := dial()
		<-slots
		one()
		if err != nil {
			return err
		}
		defer conn.Close()
		io.Copy(io.Discard, conn)
		return nil
	})
	return m.on(all)
}

func silentConnections(m *mallory) error { return m.hold(m.dial) }

func silentSocket(m *mallory) error { return m.hold(m.dialSocket) }

// slowHandshakes begins a ClientHello of 16 KB and sends a byte now and then.
func slowHandshakes(m *mallory) error {
	some, one := countdown(100)
	m.again(100, 50*time.Millisecond, func() error {
		conn, err := m.dial()
		if err != nil {
			return err
		}
		defer conn.Close()
		conn.Write([]byte{0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0x00, 0x3f, 0xfc})
		one()
		for m.ctx.Err() == nil {
			if _, err := conn.Write([]byte{3}); err != nil {
				return err
			}
			m.wait(10 * time.Millisecond)
		}
		return nil
	})
	return m.on(some)
}

// signatures are logins that the largest RSA key is said to have signed, as fast as that goes: each
// has the daemon verify one.
func signatures(m *mallory) error {
	const size = 8192 / 8                // bytes; no key may be longer (ID2)
	exponent := []byte{0xff, 0xff, 0xff} // the largest that is read
	modulus := make([]byte, 1+size)
	rand.Read(modulus[1:])
	modulus[1] |= 0x80
	modulus[size] |= 1
	text := func(fields ...string) (wire string) {
		for _, field := range fields {
			wire += string(binary.BigEndian.AppendUint32(nil, uint32(len(field)))) + field
		}
		return wire
	}
	auth := base64.StdEncoding.EncodeToString([]byte("SSHSIG\x00\x00\x00\x01" +
		text(text("ssh-rsa", "\x00"+string(exponent), string(modulus)), protocol.LoginNamespace, "",
			"sha512", text("rsa-sha2-512", strings.Repeat("\x01", size)))))
	some, one := countdown(50)
	m.again(32, time.Millisecond, func() error {
		l, err := m.greet("alice", m.key, func(h *protocol.Hello) { h.Auth = auth })
		if err != nil {
			return err
		}
		defer l.conn.Close()
		f, err := l.in.Next()
		if err != nil {
			return err
		}
		m.note("%s", protocol.Describe(f, 0))
		one()
		return nil
	})
	return m.on(some)
}
