package dialect

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// script is a PacketConn that gives some datagrams, then waits for its deadline.
type script struct {
	net.PacketConn
	left  int // datagrams to give
	errs  int // errors to give first
	sent  int // answers written
	ended chan struct{}
}

func (s *script) ReadFrom(p []byte) (int, net.Addr, error) {
	if s.errs > 0 {
		s.errs--
		return 0, nil, errors.New("port unreachable")
	}
	if s.left == 0 {
		<-s.ended
		return 0, nil, context.Canceled
	}
	s.left--
	return copy(p, "a"), &net.UDPAddr{}, nil
}

func (s *script) WriteTo(p []byte, _ net.Addr) (int, error) {
	s.sent++
	return len(p), nil
}

func (s *script) SetReadDeadline(time.Time) error {
	close(s.ended)
	return nil
}

func TestDatagramsPerSecondAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := &script{left: 3 * perSecond, ended: make(chan struct{})}
		done := make(chan error)
		go func() { done <- udp.ServePacket(ctx, s, Options{}) }()
		synctest.Wait() // everything is read within one instant
		cancel()
		if err := <-done; err != nil || s.sent != perSecond {
			t.Errorf("%d answers within a second, %v; want %d", s.sent, err, perSecond)
		}
	})
}

func TestDatagramErrorsDoNotEndOrSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := &script{left: 1, errs: 100, ended: make(chan struct{})}
		began := time.Now()
		done := make(chan error)
		answered := make(chan time.Duration, 1)
		go func() {
			done <- udp.ServePacket(ctx, s, Options{Events: func(e Event) {
				if e.Op == Send {
					answered <- time.Since(began)
				}
			}})
		}()
		if waited := <-answered; waited != time.Second { // 100 errors, 10 ms each
			t.Errorf("the answer came after %v", waited)
		}
		cancel()
		if err := <-done; err != nil || s.sent != 1 {
			t.Errorf("%d answers, %v", s.sent, err)
		}
	})
}
