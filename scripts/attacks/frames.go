//go:build linux

package main

import (
	"bytes"
	"strings"
	"time"

	"minissh/protocol"
	"minissh/protocol/keys"
)

// Attacks with frames that are allowed, but long, many or unread.

// longOpens asks for what is refused, in 50 KB, as fast as it is refused.
func longOpens(m *mallory) error {
	some, one := countdown(50)
	long := strings.Repeat("x", 50_000)
	m.keep(keeping{n: 16, closed: one, request: func(int) *protocol.Open {
		return &protocol.Open{Service: long}
	}})
	m.keep(keeping{n: 16, closed: one, key: m.box, request: func(int) *protocol.Open {
		return &protocol.Open{Service: "exec", Command: protocol.Bytes(long)}
	}})
	return m.on(some)
}

// refusals makes the daemon log: logins with a key that nobody knows, and requests that are
// refused.
func refusals(m *mallory) error {
	stranger, err := keys.Generate()
	if err != nil {
		return err
	}
	some, one := countdown(300)
	m.again(4, time.Millisecond, func() error {
		_, err := m.login("mallory", stranger)
		one()
		return err
	})
	m.keep(keeping{n: 16, closed: one, pause: 5 * time.Millisecond,
		request: func(int) *protocol.Open { return &protocol.Open{Service: "nonsense"} }})
	return m.on(some)
}

// padded is a JSON object that fills a frame.
func padded(start string) []byte {
	const end = `"}`
	return append(append([]byte(start),
		bytes.Repeat([]byte("x"), protocol.MaxPayload-len(start)-len(end))...), end...)
}

// longSignals sends 60 SIGNAL frames of 64 KiB on each of 64 transfers, in two sessions of the
// restricted key: 480 MB in all.
func longSignals(m *mallory) error {
	payload := padded(`{"signal":"INT","x":"`)
	all, one := countdown(2 * 64)
	m.keep(keeping{key: m.box, links: 2, n: 64, pause: time.Second,
		request: func(int) *protocol.Open { return copying(1, "in") },
		opened: func(l *link, channel uint32) {
			for range 60 {
				if l.send(protocol.TypeSignal, channel, payload) != nil {
					return
				}
			}
			one()
		}})
	return m.lasting(all, 15*time.Second)
}

// unreadNotices has signals refused, each with a NOTICE, and reads none of them.
func unreadNotices(m *mallory) error {
	payload := []byte(`{"signal":"` + strings.Repeat("x", 60_000) + `"}`)
	event, one := countdown(2000)
	m.again(4, 50*time.Millisecond, func() error {
		l, err := m.login("mallory", m.key)
		if err != nil {
			return err
		}
		defer l.conn.Close()
		channels, err := l.openAll(16, &protocol.Open{Service: "exec",
			Command: protocol.Bytes("exec sleep 600")})
		if err != nil {
			return err
		}
		for i := 0; m.ctx.Err() == nil; i++ {
			l.conn.SetWriteDeadline(time.Now().Add(answerTime))
			if err := l.send(protocol.TypeSignal, channels[i%len(channels)], payload); err != nil {
				return err
			}
			one()
		}
		return nil
	})
	return m.on(event)
}
