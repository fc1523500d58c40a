package mux

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
)

// answering is a connection that can say whether its peer's system still answers.
type answering struct {
	*end
	answers atomic.Bool
}

var _ Answering = (*answering)(nil)

func (a *answering) AnswersKnown() bool { return true }

func (a *answering) PeerAnswers(within time.Duration) bool {
	return a.answers.Load() && within == 45*time.Second
}

// ping is a PING of a client that is about to be stopped, or goes on.
func ping(stopping bool, number uint64) []byte {
	frame := num(protocol.TypePing, 0, number)
	if stopping {
		frame[5] = 0x01
	}
	return frame
}

// stoppable starts a session whose peer falls silent while its system does not.
func stoppable(t *testing.T, role Role) (*Session, *answering, *script) {
	s := New(Config{Role: role})
	near, far := pipe()
	conn := &answering{end: far}
	conn.answers.Store(true)
	p := play(t, near)
	if role == Daemon {
		go s.Accept(conn, helloOf(nil), &protocol.Welcome{})
		p.want(protocol.TypeWelcome, 0, "", "")
	} else {
		go s.Connect(conn, &protocol.Hello{})
		p.want(protocol.TypeHello, 0, "", "")
		p.send(welcome(0, 0))
	}
	return s, conn, p
}

// A client that is silent while its system is not keeps its session for 15 minutes, and for 24
// hours when it has said that it is being stopped (RE6), with only two PINGs in all that time. What
// acknowledges may be a relay, so the session ends then.
func TestStoppedClient(t *testing.T) {
	const untold, told = 15 * time.Minute, 24 * time.Hour
	for name, c := range map[string]struct {
		says []byte
		most time.Duration
	}{
		"it was stopped without a word":   {nil, untold},
		"it says so":                      {ping(true, 7), told},
		"it says so, and that it goes on": {append(ping(true, 7), ping(false, 8)...), untold},
		"it goes on without saying so": {append(ping(true, 7), num(protocol.TypePong, 0, 9)...),
			told},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, _, p := stoppable(t, Daemon)
				began := time.Now()
				if c.says != nil {
					p.send(c.says)
					p.want(protocol.TypePong, 0, "", "a PING is answered, whatever it says")
				}
				p.want(protocol.TypePing, 0, "", "15 seconds")
				p.want(protocol.TypePing, 0, "", "30 seconds")
				p.wantSilence(c.most-31*time.Second, "nothing more is said to one who is stopped")
				p.wantEnd("the time is over in which that is believed")
				if d := time.Since(began); d != c.most {
					t.Errorf("after %v instead of %v", d, c.most)
				}
				synctest.Wait()
				if err := s.Err(); !errors.Is(err, ErrSilent) ||
					!strings.Contains(err.Error(), "nothing was heard for "+
						protocol.InWords(c.most)) {
					t.Error(err)
				}
				p.conn.Close()
			})
		})
	}
}

// A stopped client goes on, and is stopped again: each time counts for itself. When its system
// falls silent too, the link is lost. A client does not wait like this for a daemon.
func TestStoppedClientGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, conn, p := stoppable(t, Daemon)
		for range 3 {
			p.want(protocol.TypePing, 0, "", "15 seconds")
			p.want(protocol.TypePing, 0, "", "30 seconds")
			p.wantSilence(14*time.Minute, "it is stopped")
			p.send(num(protocol.TypePing, 0, 7))
			p.want(protocol.TypePong, 0, "7", "it goes on")
		}
		p.want(protocol.TypePing, 0, "", "15 seconds")
		p.want(protocol.TypePing, 0, "", "30 seconds")
		p.wantSilence(5*time.Minute, "it is stopped again")
		conn.answers.Store(false)
		began := time.Now()
		p.wantEnd("its system is gone")
		synctest.Wait()
		if d := time.Since(began); d > 15*time.Second || !errors.Is(s.Err(), ErrSilent) {
			t.Errorf("after %v: %v", d, s.Err())
		}
		p.conn.Close()
	})
	bubble(t, func(t *testing.T) {
		s, _, p := stoppable(t, Client)
		began := time.Now()
		p.want(protocol.TypePing, 0, "", "15 seconds")
		p.want(protocol.TypePing, 0, "", "30 seconds")
		p.wantEnd("45 seconds")
		synctest.Wait()
		var lost *LinkLost
		if d := time.Since(began); d != 45*time.Second || !errors.As(s.Err(), &lost) ||
			lost.Within != 15*time.Minute {
			t.Errorf("after %v: %v, %+v", d, s.Err(), lost)
		}
		p.conn.Close()
	})
}

// A write that is stuck is given up after 30 seconds, or after the time for which a stopped client
// is believed (RE6).
func TestSuspendedIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, _, p := stoppable(t, Daemon)
		synctest.Wait()
		s.mu.Lock()
		l := s.link
		s.mu.Unlock()
		for after, want := range map[time.Duration]bool{0: true, 899 * time.Second: true,
			900 * time.Second: false, 25 * time.Hour: false} {
			l.heard.Store(time.Now().Add(-after).UnixNano())
			if l.suspended() != want {
				t.Errorf("after %v: %v", after, !want)
			}
		}
		s.Close(nil)
		p.conn.Close()
	})
}

// A client says by PINGs that it is being stopped, before it is, and that it goes on. Meanwhile
// whoever loses the link cannot know which of the two the daemon has heard last (RE6).
func TestTellStop(t *testing.T) {
	const untold, told = 15 * time.Minute, 24 * time.Hour
	for name, c := range map[string]struct {
		do   func(s *Session, p *script)
		want time.Duration
	}{
		"never": {func(*Session, *script) {}, untold},
		"stopped": {func(s *Session, p *script) {
			s.TellStop(true)
			p.want(protocol.TypePing, 0, "SUSPENDED", "it is told before the process is stopped")
		}, told},
		"goes on, unanswered": {func(s *Session, p *script) {
			s.TellStop(true)
			stop := p.want(protocol.TypePing, 0, "SUSPENDED", "").Number()
			<-time.After(time.Second)
			s.TellStop(false)
			p.want(protocol.TypePing, 0, "", "")
			p.send(num(protocol.TypePong, 0, stop))
		}, told},
		"goes on, answered": {func(s *Session, p *script) {
			s.TellStop(true)
			p.want(protocol.TypePing, 0, "SUSPENDED", "")
			<-time.After(time.Second)
			s.TellStop(false)
			f := p.want(protocol.TypePing, 0, "", "")
			if f.Flags != 0 {
				t.Error("it goes on, and says SUSPENDED")
			}
			p.send(num(protocol.TypePong, 0, f.Number()))
		}, untold},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := New(Config{Role: Client})
				p, _, connected := asClient(t, s)
				p.send(welcome(0, 0))
				must(t, <-connected)
				c.do(s, p)
				synctest.Wait()
				p.conn.Close()
				<-s.Done()
				var lost *LinkLost
				if !errors.As(s.Err(), &lost) || lost.Within != c.want {
					t.Errorf("%v: %+v", s.Err(), lost)
				}
				s.TellStop(true) // does nothing
			})
		})
	}
	bubble(t, func(t *testing.T) { // a link that takes nothing
		s := New(Config{Role: Client})
		near, far := pipe()
		connected := make(chan error, 1)
		go func() { _, err := s.Connect(near, &protocol.Hello{}); connected <- err }()
		p := play(t, far)
		p.want(protocol.TypeHello, 0, "", "")
		p.send(welcome(0, 0))
		must(t, <-connected)
		near.out.set(func() { near.out.room = 10 })
		p.send(num(protocol.TypePing, 0, 1))
		synctest.Wait()
		began := time.Now()
		s.TellStop(true)
		if d := time.Since(began); d != 200*time.Millisecond {
			t.Errorf("the user's Ctrl-Z waited %v", d)
		}
		p.conn.Close()
		s.Close(nil)
	})
}
