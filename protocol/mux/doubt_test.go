package mux

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
)

// resumingClient has opened channel 1 and has a WELCOME; the script has read what it sent.
func resumingClient(t *testing.T, cfg Config) (*Session, *Channel, *script) {
	t.Helper()
	cfg.Role, cfg.Resend = Client, protocol.MinResend
	s := New(cfg)
	t.Cleanup(func() { s.Close(nil) })
	c, err := s.Open(&protocol.Open{Service: "test"})
	must(t, err)
	p, _, connected := asClient(t, s)
	p.want(protocol.TypeOpen, 1, "", "it travels with HELLO")
	p.send(welcome(1, protocol.MinResend))
	must(t, <-connected)
	return s, c, p
}

func wantDoubt(t *testing.T, s *Session, doubtful bool, when string) {
	t.Helper()
	synctest.Wait()
	if state := s.LinkState(); !state.Up || state.Doubtful != doubtful {
		t.Errorf("%s: %+v", when, state)
	}
}

// A link is doubted one second after something was sent that nobody acknowledges, is asked for a
// sign of life, and is trusted again when it gives one (RE7).
func TestDoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, c, p := resumingClient(t, Config{})
		<-time.After(4 * time.Second)
		wantDoubt(t, s, false, "idle")
		must(t, second(c.Write(protocol.TypeStdin, []byte("k"))))
		p.want(protocol.TypeStdin, 1, "", "a key")
		<-time.After(999 * time.Millisecond)
		wantDoubt(t, s, false, "before a second is over")
		<-time.After(time.Millisecond)
		wantDoubt(t, s, true, "after a second")
		ping := p.want(protocol.TypePing, 0, "", "the link is asked")
		p.send(num(protocol.TypePong, 0, ping.Number()))
		wantDoubt(t, s, false, "it answered, but acknowledged nothing")
		<-time.After(time.Second)
		wantDoubt(t, s, true, "a second later")
		p.send(num(protocol.TypeAck, 0, 2))
		p.want(protocol.TypePing, 0, "", "the link was asked again")
		wantDoubt(t, s, false, "what was due has come")
		<-time.After(5 * time.Second)
		wantDoubt(t, s, true, "the PONG of the second PING has not come")
	})
}

func second(_ int, err error) error { return err }

// An idle link is doubted after its PING of SE6 at the earliest. One that was not idle before is
// asked sooner, once (RE7).
func TestDoubtOfIdleLink(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, _, p := resumingClient(t, Config{})
		pings := func(after time.Duration, why string) {
			t.Helper()
			began := time.Now()
			ping := p.want(protocol.TypePing, 0, "", why)
			if took := time.Since(began); took != after {
				t.Errorf("%s: PING after %v", why, took)
			}
			wantDoubt(t, s, false, "PING was sent")
			p.send(num(protocol.TypePong, 0, ping.Number()))
		}
		p.send(num(protocol.TypeAck, 0, 1))
		pings(5*time.Second, "OPEN was sent")
		pings(15*time.Second, "idle")
		pings(15*time.Second, "idle still")
		<-time.After(3 * time.Second)
		p.send(msg(protocol.TypeOpened, 1, `{}`), data(protocol.TypeStdout, 1, 1))
		p.want(protocol.TypeAck, 0, "", "of two frames")
		pings(5*time.Second-ackDelay, "there was output")
		p.want(protocol.TypePing, 0, "", "15 seconds of silence")
		wantDoubt(t, s, false, "PING was sent")
		<-time.After(time.Second)
		wantDoubt(t, s, true, "a second after it")
		p.conn.Close()
	})
}

// The patience is twice the round trip where that is long.
func TestDoubtOnLongWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, c, p := resumingClient(t, Config{})
		s.Probe()
		ping := p.want(protocol.TypePing, 0, "", "Probe")
		<-time.After(900 * time.Millisecond)
		p.send(num(protocol.TypePong, 0, ping.Number()))
		synctest.Wait()
		must(t, second(c.Write(protocol.TypeStdin, []byte("k"))))
		<-time.After(1799 * time.Millisecond)
		wantDoubt(t, s, false, "before two round trips are over")
		<-time.After(time.Millisecond)
		wantDoubt(t, s, true, "after two round trips")
		p.conn.Close()
	})
}

// A client's own times: PING after 2 seconds of silence, the end after 4.
func TestOwnPatience(t *testing.T) {
	bubble(t, func(t *testing.T) {
		began := time.Now()
		s, _, p := resumingClient(t, Config{PingAfter: 2 * time.Second, Patience: 4 * time.Second})
		p.want(protocol.TypePing, 0, "", "2 seconds of silence")
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("PING after %v", took)
		}
		for s.LinkState().Up {
			<-s.LinkChanges()
		}
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("lost after %v", took)
		}
		if state := s.LinkState(); !errors.Is(state.Cause, ErrSilent) || !state.Heard.Equal(began) {
			t.Errorf("%+v", state)
		}
		if cause := s.LinkState().Cause.Error(); cause != "nothing was heard for 4 seconds" {
			t.Error("the cause names another time: ", cause)
		}
		if s.Err() != nil {
			t.Error("the session has ended with its link")
		}
		gone := errors.New("enough")
		s.Abandon(gone)
		if err := s.Err(); err != gone {
			t.Error(err)
		}
	})
}

// A link that has carried nearly as much as it may is doubtful, whatever comes over it (SE8).
func TestWornLink(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, c, p := resumingClient(t, Config{LinkMost: 1 << 20})
		go c.Write(protocol.TypeStdin, make([]byte, 1<<20))
		p.send(num(protocol.TypeWindow, 1, 1<<20))
		received := uint64(1)
		for carried := 0; carried < 600_000; {
			f, err := p.r.Next()
			must(t, err)
			if f.Type.IsData() {
				received++
				carried += int(f.Length)
				p.send(num(protocol.TypeAck, 0, received))
			}
		}
		wantDoubt(t, s, false, "not yet")
		for !s.LinkState().Doubtful {
			_, err := p.r.Next()
			must(t, err)
			received++
			p.send(num(protocol.TypeAck, 0, received))
			synctest.Wait()
		}
		p.conn.Close()
	})
}

// A client whose first WELCOME comes on a later link, from a daemon that started after its first
// HELLO, does not know what happened (RE5). One that runs longer has never heard of the session.
func TestRestartBeforeWelcome(t *testing.T) {
	for _, c := range []struct {
		uptime   time.Duration
		received int64
		want     error
	}{
		{9 * time.Second, 0, ErrRestarted}, {11 * time.Second, 0, nil}, {9 * time.Second, 1, nil},
	} {
		bubble(t, func(t *testing.T) {
			s := New(Config{Role: Client, Resend: protocol.MinResend})
			defer s.Close(nil)
			_, err := s.Open(&protocol.Open{Service: "test"})
			must(t, err)
			p, _, connected := asClient(t, s)
			p.want(protocol.TypeOpen, 1, "", "it travels with HELLO")
			p.conn.Close()
			if err := <-connected; err == nil {
				t.Fatal("connected without WELCOME")
			}
			<-time.After(10 * time.Second)
			p, hello, connected := asClient(t, s)
			if hello.Epoch != 2 || !hello.Create {
				t.Errorf("%+v", hello)
			}
			w, err := protocol.AppendMessage(nil, protocol.TypeWelcome, 0, &protocol.Welcome{
				Received: c.received, Resend: protocol.MinResend, Channels: 64,
				Uptime: c.uptime.Milliseconds()})
			must(t, err)
			p.send(w)
			if err := <-connected; !errors.Is(err, c.want) {
				t.Errorf("a daemon up for %v that received %d: %v", c.uptime, c.received, err)
			}
			if c.want == nil && c.received == 0 {
				p.want(protocol.TypeOpen, 1, "", "it is sent again")
			}
			p.conn.Close()
		})
	}
}

// What is told of a link is never why one before it was lost.
func TestCauseOfItsOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, _, p := resumingClient(t, Config{})
		p.conn.Close()
		synctest.Wait()
		if state := s.LinkState(); state.Up || state.Cause == nil {
			t.Errorf("lost: %+v", state)
		}
		p, _, connected := asClient(t, s)
		p.send(welcome(1, protocol.MinResend))
		must(t, <-connected)
		if state := s.LinkState(); !state.Up || state.Cause != nil {
			t.Errorf("there is another link: %+v", state)
		}
	})
}
