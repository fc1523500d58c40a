//go:build unix

package dial_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// away is a session whose link is lost, on a network that has been away since then: a connection
// hangs there, also when the network is back meanwhile, as if TCP asked only at its beginning.
type away struct {
	*fakedaemon.Network
	conn  *dial.Connection
	lost  time.Time
	gone  atomic.Bool
	tries chan struct{} // one for each attempt
	back  chan struct{} // closed when there is a link again
}

func goAway(t *testing.T) *away {
	begin := func(ch *mux.Channel) { fakedaemon.Begin(ch, "") }
	a := &away{Network: fakedaemon.NewNetwork(t, begin),
		tries: make(chan struct{}, 1000), back: make(chan struct{})}
	a.Away = func(ctx context.Context) error {
		a.tries <- struct{}{}
		if a.gone.Load() {
			<-ctx.Done()
		}
		return ctx.Err()
	}
	conn, err := a.Dialer.Dial(t.Context(), func(s *mux.Session) error {
		_, err := s.Open(&protocol.Open{Service: "exec", Command: protocol.Bytes("x")})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	a.conn = conn
	synctest.Wait()
	<-a.tries
	var was atomic.Bool
	conn.Watch(func(loss *dial.Loss) {
		if loss != nil {
			was.Store(true)
		} else if was.Load() {
			close(a.back)
		}
	})
	a.gone.Store(true)
	a.lost = time.Now()
	a.Links()[0].Lose()
	conn.Session.Probe() // something is waited for
	return a
}

// cameBack returns how long it took from now on until there was a link.
func (a *away) cameBack(t *testing.T) time.Duration {
	t.Helper()
	now := time.Now()
	select {
	case <-a.back:
	case <-time.After(time.Minute):
		t.Errorf("there is no link: %v", a.conn.Session.Err())
	}
	took := time.Since(now)
	a.conn.Session.Close(nil)
	return took
}

// While attempts hang, a new one begins every second at least, so that typing goes on within a
// second of the network's return.
func TestAttemptsWhileAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := goAway(t)
		<-time.After(7500 * time.Millisecond)
		a.gone.Store(false)
		if took := a.cameBack(t); took > time.Second {
			t.Errorf("it took %v after the network's return", took)
		}
		dials := a.Dials()[1:]
		for i := range dials[1:] {
			if apart := dials[i+1].Sub(dials[i]); apart > time.Second {
				t.Errorf("attempt %d came %v after the one before", i+1, apart)
			}
		}
	})
}

// Where only the daemon has learned that a link has ended, it keeps the session for ten seconds
// (RE4). It goes on although two handshakes hang (the third came after eleven seconds).
func TestHandshakesHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := fakedaemon.NewNetwork(t, func(ch *mux.Channel) { fakedaemon.Begin(ch, "") })
		n.Link = func(number int, l *fakedaemon.Link) error {
			if number == 1 || number == 2 {
				l.Lose()
			}
			return nil
		}
		conn, err := n.Dialer.Dial(t.Context(), func(s *mux.Session) error {
			_, err := s.Open(&protocol.Open{Service: "exec", Command: protocol.Bytes("x")})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		n.Links()[0].LoseNear()
		conn.Session.Probe() // something is waited for
		<-time.After(time.Minute)
		if links := len(n.Links()); links != 4 || conn.Session.Err() != nil || conn.Lost() != nil {
			t.Errorf("%d links, %v, %+v", links, conn.Session.Err(), conn.Lost())
		}
		conn.Session.Close(nil)
	})
}

// After minutes an attempt hangs for long. What the user types begins another, unless it is so
// young that TCP asks often enough.
func TestHurryWhileAttemptHangs(t *testing.T) {
	for _, c := range []struct{ age, within time.Duration }{
		{3 * time.Second, 0}, {1500 * time.Millisecond, 500 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := goAway(t)
			for time.Since(a.lost) < time.Minute {
				<-a.tries
			}
			<-time.After(c.age)
			a.gone.Store(false)
			for range 3 { // three keys are one attempt
				a.conn.Hurry()
			}
			before := len(a.Dials())
			if took := a.cameBack(t); took != c.within {
				t.Errorf("an attempt of %v: it took %v, not %v", c.age, took, c.within)
			}
			if n := len(a.Dials()) - before; n != 1 {
				t.Errorf("an attempt of %v: %d more", c.age, n)
			}
		})
	}
}
