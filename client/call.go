package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol/keys"
	"minissh/protocol/transport"
)

// call is one connection being made: TCP, then TLS. It begins before we know which key we shall show, and waits for that when the
// daemon's part of the handshake is there: reading our keys costs no time that way.
type call struct {
	ctx    context.Context
	check  hostCheck
	cancel context.CancelFunc
	offer  chan *offer   // what we show; one, if any
	raw    chan struct{} // closed when there is a connection below TLS
	done   chan struct{}
	conn   *transport.Conn // of a handshake that is done; both are set when done is closed
	err    error
}

// hostCheck decides about the key that a host shows, before the host has proved that it holds it. pinned is a key that a user has just accepted, or nil.
type hostCheck func(key ssh.PublicKey, from net.Addr, pinned ssh.PublicKey) error

// call begins a connection. Its owner ends it with hangUp, also after show.
func (d *Dialer) call(ctx context.Context, check hostCheck) *call {
	c := &call{check: check, offer: make(chan *offer, 1), raw: make(chan struct{}), done: make(chan struct{})}
	c.ctx, c.cancel = d.limited(ctx)
	go func() {
		defer close(c.done)
		c.conn, c.err = d.connect(c)
	}()
	return c
}

// show says what to show, once.
func (c *call) show(o *offer) { c.offer <- o }

// awaitConnection returns when there is a connection below TLS, or will be none.
func (c *call) awaitConnection() {
	select {
	case <-c.raw:
	case <-c.done:
	}
}

// answer gives the connection when the handshake is done. It is the caller's then.
func (c *call) answer() (*transport.Conn, error) {
	<-c.done
	conn := c.conn
	c.conn = nil
	return conn, c.err
}

// hangUp ends a call, and closes its connection unless answer has given it away. It may be called again.
func (c *call) hangUp() {
	c.cancel()
	<-c.done
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

func (c *call) over() bool { return c.ctx.Err() != nil }

// wait gives what show was told.
func (c *call) wait() (*offer, error) {
	select {
	case o := <-c.offer:
		c.offer <- o // for whoever asks next
		return o, nil
	case <-c.ctx.Done():
		return nil, c.ctx.Err()
	}
}

// connect makes the connection below a link, TLS included.
func (d *Dialer) connect(c *call) (*transport.Conn, error) {
	keyLog, endKeyLog, err := d.openKeyLog()
	if err != nil {
		return nil, err
	}
	defer endKeyLog()
	raw := d.Conn
	if raw == nil {
		if raw, err = d.dialRaw(c.ctx); err != nil {
			return nil, err
		}
	}
	close(c.raw)
	stop := context.AfterFunc(c.ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })
	conn, err := transport.Client(raw, keyLog, func() (tls.Certificate, error) {
		o, err := c.wait()
		if err != nil {
			return tls.Certificate{}, err
		}
		return keys.Certificate(*o.identity)
	}, func(host *x509.Certificate) error {
		o, err := c.wait()
		if err != nil {
			return err
		}
		key, err := keys.FromCertificate(host)
		if err != nil {
			return err
		}
		return c.check(key, raw.RemoteAddr(), o.pinned)
	})
	if !stop() && c.ctx.Err() != nil {
		err = c.ctx.Err()
	}
	if err != nil {
		raw.Close()
		return nil, d.explain(err)
	}
	d.rememberHost()
	return conn, nil
}
