package transport

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"minissh/protocol"
)

// counted counts what is read of a connection.
type counted struct {
	net.Conn
	from io.Reader
	read atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// endlessHello is a handshake message that never ends, in the largest records.
type endlessHello struct{ at int }

func (h *endlessHello) Read(p []byte) (int, error) {
	record := []byte{0x16, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff}
	for i := range p {
		p[i] = 0
		if at := h.at % (5 + 16_384); at < 5 || h.at < len(record) {
			p[i] = record[at]
		}
		h.at++
	}
	return len(p), nil
}

// Of a TLS handshake a daemon reads 16,384 bytes, and 28,672 after it until the client is
// authorized (ID8).
func TestBytesBeforeAuthorization(t *testing.T) {
	near, far := loopback(t)
	go io.Copy(io.Discard, near) // an alert, if there is one
	raw := &counted{Conn: far, from: new(endlessHello)}
	if _, err := Server(raw, ServerConfig(envelope(t)), nil); !errors.Is(err, ErrTooMuch) {
		t.Errorf("a handshake that never ends: %v", err)
	}
	if n := raw.read.Load(); n != 16_384 {
		t.Errorf("%d bytes of it were read", n)
	}

	near, far = loopback(t)
	raw = &counted{Conn: far, from: far}
	c, d := both(t, near, raw, envelope(t), envelope(t), anyHost, nil)
	if c.err != nil || d.err != nil {
		t.Fatal(c.err, d.err)
	}
	before := raw.read.Load()
	go c.conn.Write(make([]byte, 3*protocol.MaxGreeting))
	if _, err := io.Copy(io.Discard, d.conn); !errors.Is(err, ErrTooMuch) {
		t.Errorf("before it is authorized: %v", err)
	}
	if n := raw.read.Load() - before; n != 28_672 {
		t.Errorf("%d bytes were read after the handshake", n)
	}
}

// tickets notes whether a client is given one.
type tickets struct{ given atomic.Int32 }

func (c *tickets) Get(string) (*tls.ClientSessionState, bool) { return nil, false }
func (c *tickets) Put(string, *tls.ClientSessionState)        { c.given.Add(1) }

// A daemon gives no session tickets: a session that is resumed would skip the client's proof (CA2).
func TestNoTickets(t *testing.T) {
	near, far := loopback(t)
	go func() {
		conn, err := Server(far, ServerConfig(envelope(t)), nil)
		if err != nil {
			t.Error(err)
			far.Close()
			return
		}
		conn.Write([]byte("x"))
	}()
	cache := new(tickets)
	client := tls.Client(near, &tls.Config{
		InsecureSkipVerify: true, NextProtos: []string{"minissh/1"}, ServerName: "host",
		Certificates: []tls.Certificate{envelope(t)}, ClientSessionCache: cache,
	})
	if _, err := io.ReadFull(client, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if n := cache.given.Load(); n != 0 {
		t.Errorf("%d tickets were given", n)
	}
}
