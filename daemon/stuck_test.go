//go:build unix

package daemon

import (
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"minissh/protocol"
	"minissh/protocol/mux"
)

// deaf is a client's connection that can stop reading, as if its network were gone. Its system then
// takes no more than its buffers hold. Closing it tells the daemon nothing.
type deaf struct {
	net.Conn
	gone chan struct{}
	once sync.Once
}

func (d *deaf) Read(p []byte) (int, error) {
	n, err := d.Conn.Read(p)
	select {
	case <-d.gone:
		return 0, errors.New("the network is gone")
	default:
	}
	return n, err
}

func (d *deaf) Write(p []byte) (int, error) {
	select {
	case <-d.gone:
		return len(p), nil
	default:
	}
	return d.Conn.Write(p)
}

func (d *deaf) Close() error {
	d.once.Do(func() { close(d.gone) })
	return nil
}

// A daemon that was writing to a link that takes nothing gives it up at once when its client comes
// back: the end of TLS, which cannot be sent there, keeps nobody waiting.
func TestBackFromStuckLink(t *testing.T) {
	l := newLab(t, nil)
	raw := l.dial()
	defer raw.Close()
	raw.(*net.TCPConn).SetReadBuffer(64 << 10)
	old := &deaf{Conn: raw, gone: make(chan struct{})}
	s := mux.New(mux.Config{Role: mux.Client, Resend: 64 << 20})
	ch := start(t, s, protocol.Open{Command: protocol.Bytes("yes")})
	_, err := s.Connect(l.over(old, l.guest), &protocol.Hello{User: user, Hold: 60})
	if err != nil {
		t.Fatal(err)
	}
	taken := make(chan struct{})
	go func() {
		defer close(taken)
		buffer := make([]byte, 64<<10)
		for total := 0; total < 64<<20; {
			e, err := ch.Next(buffer)
			if err != nil {
				t.Error(err)
				return
			}
			total += e.N
		}
	}()
	<-taken // the window has grown; now it fills what is between
	old.once.Do(func() { close(old.gone) })
	var out int64
	var since time.Time
	l.until("the daemon is stuck", func() bool {
		if now := l.sessions.Entries()[0].Session.Traffic().Out; now != out {
			out, since = now, time.Now()
		}
		return time.Since(since) > 300*time.Millisecond
	})
	next := l.secure(l.guest)
	begun := time.Now()
	if _, err := s.Connect(next, &protocol.Hello{User: user, Hold: 60}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("the new link had to wait for %v", took)
	}
	s.Close(nil)
}
