package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
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
	offer   chan *offer   // what we show; one, if any
	greeted chan struct{} // closed when our first bytes are there to be sent
	dialed  chan struct{} // closed when all of the following is set
	d       *Dialer       // nil for a call that was not wanted
	ctx     context.Context
	cancel  context.CancelFunc
	check   hostCheck
	raw     net.Conn // below TLS
	failed  error    // why there is none
	hung    bool     // we hung up

	done chan struct{}   // closed when both of the following are set
	conn *transport.Conn // of a handshake that is done
	err  error
}

// hostCheck decides about the key that a host shows, before the host has proved that it holds it.
type hostCheck func(key ssh.PublicKey, from net.Addr, o *offer) error

// Begin has the keys made that the first call needs for TLS. It may be called before the Dialer has options, to have them read meanwhile.
func (d *Dialer) Begin() { d.begun = begin() }

// begin makes a call that knows nothing yet of where it goes.
func begin() *call {
	c := &call{offer: make(chan *offer, 1), greeted: make(chan struct{}), dialed: make(chan struct{}), done: make(chan struct{})}
	go func() {
		quick.GrowStack()
		defer close(c.done)
		c.conn, c.err = c.connect()
	}()
	return c
}

// notWanted ends what Begin has begun.
func (d *Dialer) notWanted() {
	if c := d.begun; c != nil {
		d.begun, c.failed = nil, context.Canceled
		close(c.dialed)
	}
}

// call makes a connection as far as TCP goes, while TLS begins beside it. Its owner ends it with hangUp, also after show. A failure is told by answer.
func (d *Dialer) call(ctx context.Context, check hostCheck) *call {
	c := d.begun
	if d.begun = nil; c == nil {
		c = begin()
	}
	c.d, c.check = d, check
	c.ctx, c.cancel = d.limited(ctx)
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
	c.hung = true
	c.cancel()
	<-c.done
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// over says that we have hung up. A call that failed by itself, or ran out of time, is not over before its answer was heard.
func (c *call) over() bool { return c.hung }

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
func (c *call) connect() (*transport.Conn, error) {
	stop, endKeyLog := func() bool { return true }, func() {}
	var noKeyLog error
	conn, err := transport.ClientOn(func() (raw net.Conn, keyLog io.Writer, err error) {
		close(c.greeted)
		if <-c.dialed; c.failed != nil {
			return nil, nil, c.failed
		}
		if keyLog, endKeyLog, noKeyLog = c.d.openKeyLog(); noKeyLog != nil {
			return nil, nil, noKeyLog
		}
		stop = context.AfterFunc(c.ctx, func() { c.raw.SetDeadline(time.Unix(1, 0)) })
		return c.raw, keyLog, nil
	}, func() (tls.Certificate, error) {
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
	endKeyLog()
	if !stop() && c.ctx.Err() != nil {
		err = c.ctx.Err()
	}
	<-c.dialed
	switch {
	case c.failed != nil:
		return nil, c.failed
	case noKeyLog != nil:
		c.raw.Close()
		return nil, noKeyLog
	case err != nil:
		c.raw.Close()
		return nil, c.d.explain(err)
	}
	c.d.rememberHost()
	return conn, nil
}
