//go:build linux

package service_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// relay passes connections on, and cuts them.
type relay struct {
	port string

	mu    sync.Mutex
	conns []net.Conn
}

func newRelay(t *testing.T, to string) *relay {
	return relayOver(t, listen(t, "tcp", "127.0.0.1:0"),
		func() (net.Conn, error) { return net.Dial("tcp", to) })
}

func relayOver(t *testing.T, l net.Listener, dial func() (net.Conn, error)) *relay {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	r := &relay{port: port}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := dial()
			if err != nil {
				near.Close()
				continue
			}
			r.mu.Lock()
			r.conns = append(r.conns, near, far)
			r.mu.Unlock()
			for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
				go func() {
					io.Copy(way[0], way[1])
					way[0].Close()
					way[1].Close()
				}()
			}
		}
	}()
	t.Cleanup(r.cut)
	return r
}

func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.conns {
		conn.Close()
	}
	r.conns = nil
}

// knocking connects all the time until it is told to stop, and says how often that was refused.
func knocking(port string) (stop func() (knocks int, failed error)) {
	return knockingAt(func() (net.Conn, error) { return net.Dial("tcp", "127.0.0.1:"+port) })
}

func knockingAt(dial func() (net.Conn, error)) (stop func() (knocks int, failed error)) {
	quit, done := make(chan struct{}), make(chan struct{})
	knocks, failed := 0, error(nil)
	go func() {
		defer close(done)
		for {
			select {
			case <-quit:
				return
			case <-time.After(2 * time.Millisecond):
			}
			conn, err := dial()
			if err != nil {
				failed = err
				continue
			}
			conn.Close()
			knocks++
		}
	}()
	return func() (int, error) {
		close(quit)
		<-done
		return knocks, failed
	}
}
