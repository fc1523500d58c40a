package mux

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"minissh/protocol"
)

// answered is a connection that knows how long ago its peer's system acknowledged something, until
// it is closed.
type answered struct {
	*end
	known  bool
	ago    time.Duration
	closed bool
}

func (a *answered) AnswersKnown() bool { return a.known }

func (a *answered) PeerAnswers(within time.Duration) bool {
	return a.known && !a.closed && a.ago < within
}

func (a *answered) Close() error {
	a.closed = true
	return a.end.Close()
}

// RE4: after FIN or RST a session is kept for 10 seconds if the client's system acknowledged within
// the 10 seconds before, or if nobody knows. Otherwise it is kept for the hour that was granted, as
// after silence: a NAT box sent the RST. A link that ends because of its TLS keys (SE8) is nobody's
// death either.
func TestHoldAfterEnd(t *testing.T) {
	const short, granted = 10 * time.Second, time.Hour
	ends := map[string]func(p *script, far *end){
		"FIN": func(p *script, _ *end) { p.conn.Close() },
		"RST": func(_ *script, far *end) {
			far.in.set(func() { far.in.broken = syscall.ECONNRESET })
		},
	}
	for name, c := range map[string]struct {
		known bool
		ago   time.Duration
		want  time.Duration
	}{
		"just now":           {true, 0, short},
		"9.999 seconds ago":  {true, 9999 * time.Millisecond, short},
		"10 seconds ago":     {true, 10 * time.Second, granted},
		"three minutes ago":  {true, 3 * time.Minute, granted},
		"nobody knows when":  {false, 0, short},
		"it cannot be asked": {false, -1, short},
	} {
		for how, end := range ends {
			t.Run(how+", "+name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					s := New(Config{Role: Daemon, Resend: 262_144, Hold: 2 * time.Hour})
					near, far := pipe()
					var conn Conn = &answered{end: far, known: c.known, ago: c.ago}
					if c.ago < 0 {
						conn = far
					}
					accepted := make(chan error, 1)
					go func() {
						accepted <- s.Accept(conn, helloOf(func(h *protocol.Hello) {
							h.Resend, h.Hold = 262_144, 3_600
						}), &protocol.Welcome{})
					}()
					p := play(t, near)
					p.want(protocol.TypeWelcome, 0, "", "")
					end(p, far)
					<-accepted
					began := time.Now()
					s.Wait()
					if d := time.Since(began); d != c.want || !errors.Is(s.Err(), ErrExpired) {
						t.Errorf("kept for %v: %v", d, s.Err())
					}
				})
			})
		}
	}
}

func TestHoldAfterWornKeys(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Daemon, Resend: 262_144, Hold: 2 * time.Hour})
		p, accepted := asDaemon(t, s, helloOf(func(h *protocol.Hello) {
			h.Resend, h.Hold = 262_144, 3_600
		}))
		s.mu.Lock()
		s.link.written = 256<<30 - 10
		s.mu.Unlock()
		p.send(num(protocol.TypePing, 0, 1))
		p.want(protocol.TypePong, 0, "", "")
		p.wantEnd("256 GiB have been sent")
		<-accepted
		began := time.Now()
		s.Wait()
		if d := time.Since(began); d != time.Hour {
			t.Errorf("kept for %v", d)
		}
	})
}

// A client that says resend 0 need not acknowledge, whatever the daemon says: nothing is kept for
// it, and nothing waits for its ACK.
func TestNothingKeptForResend0(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 1)
		s := keeping(func(c *Channel) { made <- c })
		p, _ := asDaemon(t, s, helloOf(nil))
		p.send(open(1), num(protocol.TypeWindow, 1, 1<<30))
		go (<-made).Write(protocol.TypeStdout, make([]byte, 4*protocol.MinResend))
		for n := 0; n < 4*protocol.MinResend; {
			f, err := p.r.Next()
			must(t, err)
			if f.Type.IsData() {
				n += int(f.Length)
			}
		}
		s.mu.Lock()
		if s.keptBytes != 0 || s.kept.len() != 0 {
			t.Errorf("%d bytes are kept", s.keptBytes)
		}
		s.mu.Unlock()
		s.Close(nil)
		p.conn.Close()
		s.Wait()
	})
}

// RE4: a client that comes and is refused was not killed, so its session is kept for the hour that
// was granted; a link that comes later ends the wait as ever.
func TestSpare(t *testing.T) {
	bubble(t, func(t *testing.T) {
		waits, comes := 0, 0
		s := New(Config{Role: Daemon, Resend: 262_144, Hold: 2 * time.Hour,
			Waits: func(*Waiting) { waits++ }, Comes: func(error) { comes++ }})
		p, accepted := asDaemon(t, s, helloOf(func(h *protocol.Hello) {
			h.Resend, h.Hold = 262_144, 3_600
		}))
		s.Spare() // there is nothing to spare
		p.conn.Close()
		<-accepted
		began := time.Now()
		<-time.After(5 * time.Second)
		first := s.Traffic().Waiting
		s.Spare()
		s.Spare()
		if s.Expire(first, ErrExpired) {
			t.Error("the first wait is not over")
		}
		s.Wait()
		if d := time.Since(began); d != time.Hour || !errors.Is(s.Err(), ErrExpired) {
			t.Errorf("kept for %v: %v", d, s.Err())
		}
		if waits != 2 || comes != 2 {
			t.Errorf("%d waits began, %d ended", waits, comes)
		}
	})
}
