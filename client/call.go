package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol/keys"
	"minissh/protocol/quick"
	"minissh/protocol/transport"
)

// call is one connection being made: TCP, and TLS on it, whose keys for this connection are made meanwhile. It begins before we know which key we shall show, and
// waits for that when the daemon's part of the handshake is there: reading our files costs no time that way.
type call struct {
	ctx     context.Context
	check   hostCheck
	cancel  context.CancelFunc
	offer   chan *offer   // what we show; one, if any
	dialed  chan struct{} // closed when raw or failed is set
	raw     net.Conn      // below TLS
	failed  error         // why there is none
	greeted chan struct{} // closed when our first bytes are there to be sent
	done    chan struct{}
	conn    *transport.Conn // of a handshake that is done; both are set when done is closed
	err     error
}

// hostCheck decides about the key that a host shows, before the host has proved that it holds it.
type hostCheck func(key ssh.PublicKey, from net.Addr, o *offer) error

// call makes a connection as far as TCP goes, while TLS begins beside it. Its owner ends it with hangUp, also after show. A failure is told by answer.
func (d *Dialer) call(ctx context.Context, check hostCheck) *call {
	c := &call{check: check, offer: make(chan *offer, 1), dialed: make(chan struct{}), greeted: make(chan struct{}), done: make(chan struct{})}
	c.ctx, c.cancel = d.limited(ctx)
	go func() {
		quick.GrowStack()
		defer close(c.done)
		c.conn, c.err = d.connect(c)
	}()
	if c.raw = d.Conn; c.raw == nil {
		c.raw, c.failed = d.dialRaw(c.ctx)
	}
	close(c.dialed)
	return c
}

// show says what to show, once.
func (c *call) show(o *offer) { c.offer <- o }

// awaitGreeting returns when our first bytes are there to be sent, or will never be.
func (c *call) awaitGreeting() {
	select {
	case <-c.greeted:
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
func (d *Dialer) connect(c *call) (conn *transport.Conn, err error) {
	defer func() {
		<-c.dialed
		if c.failed != nil {
			err = c.failed
		} else if err != nil {
			c.raw.Close()
		}
	}()
	keyLog, endKeyLog, err := d.openKeyLog()
	if err != nil {
		return nil, err
	}
	defer endKeyLog()
	stop := func() bool { return true }
	conn, err = transport.ClientOn(func() (net.Conn, error) {
		close(c.greeted)
		<-c.dialed
		if c.failed == nil {
			stop = context.AfterFunc(c.ctx, func() { c.raw.SetDeadline(time.Unix(1, 0)) })
		}
		return c.raw, c.failed
	}, keyLog, func() (tls.Certificate, error) {
		o, err := c.wait()
		if err != nil {
			return tls.Certificate{}, err
		}
		return o.envelope, nil
	}, func(host *x509.Certificate) error {
		o, err := c.wait()
		if err != nil {
			return err
		}
		key, err := keys.FromCertificate(host)
		if err != nil {
			return err
		}
		return c.check(key, c.raw.RemoteAddr(), o)
	})
	if !stop() && c.ctx.Err() != nil {
		err = c.ctx.Err()
	}
	if err != nil {
		return nil, d.explain(err)
	}
	d.rememberHost()
	return conn, nil
}
