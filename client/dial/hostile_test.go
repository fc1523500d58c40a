//go:build unix

package dial_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// A welcome as a daemon that resumes says it.
type welcome struct {
	received, hold int64
	resend         int64
	channels       int
}

func (w welcome) say(g *fakedaemon.Guest) {
	g.Say(protocol.TypeWelcome, 0, fmt.Sprintf(
		`{"received":%d,"resend":%d,"hold":%d,"channels":%d,"uptime_ms":3600000,"user":"tester"}`,
		w.received, w.resend, w.hold, w.channels))
}

var honest = welcome{resend: 1 << 20, hold: 120, channels: 64}

// starts is a first link: the command begins, and after a second the link is lost.
func starts(w welcome) func(*fakedaemon.Guest) {
	return func(g *fakedaemon.Guest) {
		w.say(g)
		g.Until(protocol.TypeOpen)
		g.Say(protocol.TypeOpened, 1, `{"pid":1}`)
		g.Write(protocol.AppendNumber(nil, protocol.TypeAck, 0, 1))
		<-time.After(time.Second)
	}
}

// hostile is a client whose command has begun over a first link that is then lost.
type hostile struct {
	*fakedaemon.Network
	conn  *dial.Connection
	lost  time.Time     // when the first link was
	over  bool          // the session has ended
	ended time.Duration // so long after that
}

func meet(t *testing.T, change func(*hostile), turns ...func(*fakedaemon.Guest)) *hostile {
	h := &hostile{Network: fakedaemon.NewNetwork(t, nil)}
	h.Turns = turns
	if change != nil {
		change(h)
	}
	conn, err := h.Dialer.Dial(t.Context(), func(s *mux.Session) error {
		_, err := s.Open(&protocol.Open{Service: "exec", Command: protocol.Bytes("x")})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.conn, h.lost = conn, time.Now().Add(time.Second)
	select {
	case <-conn.Session.Done():
		h.over, h.ended = true, time.Since(h.lost)
	case <-time.After(12 * time.Minute):
	}
	conn.Session.Close(nil)
	return h
}

// pace checks that the attempts keep their distance: ten in any second, a hundred in any minute.
func (h *hostile) pace(t *testing.T, what string) {
	t.Helper()
	dials := h.Dials()
	for i := range dials {
		for most, within := range map[int]time.Duration{11: time.Second, 100: time.Minute} {
			if i+most < len(dials) && dials[i+most].Sub(dials[i]) < within {
				t.Errorf("%s: %d attempts within %v", what, most, dials[i+most].Sub(dials[i]))
				return
			}
		}
	}
}

// What a daemon may answer when a client comes back: what becomes of the session, and when.
// Whatever it does, attempts keep their distance.
func TestHostileResume(t *testing.T) {
	const minute = time.Minute
	lost := func(t *testing.T, err error, cause string) {
		t.Helper()
		var gone *mux.LinkLost
		if !errors.As(err, &gone) || !strings.Contains(err.Error(), cause) {
			t.Errorf("the session ended by %v, not because of %q", err, cause)
		}
	}
	is := func(want error) func(*testing.T, error, string) {
		return func(t *testing.T, err error, _ string) {
			if !errors.Is(err, want) {
				t.Errorf("the session ended by %v, not %v", err, want)
			}
		}
	}
	said := func(t *testing.T, err error, what string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("the session ended by %v, without %q", err, what)
		}
	}
	refuse := func(code string) func(*fakedaemon.Guest) {
		return fakedaemon.Refuse(`{"code":"` + code + `"}`)
	}
	with := func(change func(*welcome)) func(*fakedaemon.Guest) {
		return func(g *fakedaemon.Guest) {
			w := honest
			w.received = 1
			change(&w)
			w.say(g)
			g.Until(0)
		}
	}
	links := func(from int, do func(*hostile, *fakedaemon.Link) error) func(*hostile) {
		return func(h *hostile) {
			h.Link = func(n int, l *fakedaemon.Link) error {
				if n < from {
					return nil
				}
				return do(h, l)
			}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*hostile)
		then   func(*fakedaemon.Guest)
		first  welcome
		after  time.Duration // the end, at most two minutes later; 0: not within 12 minutes
		check  func(*testing.T, error, string)
		cause  string
	}{
		{name: "session_unknown",
			then:  refuse("session_unknown"),
			after: 1, check: is(mux.ErrRestarted)},
		{name: "session_expired",
			then:  refuse("session_expired"),
			after: 1, check: said, cause: "session_expired"},
		{name: "session_ended",
			then:  refuse("session_ended"),
			after: 1, check: said, cause: "session_ended"},
		{name: "shutting_down",
			then:  refuse("shutting_down"),
			after: 1, check: said, cause: "shutting_down"},
		{name: "internal", then: refuse("internal"), after: 1, check: said, cause: "internal"},
		{name: "a code of its own",
			then:  refuse(fakedaemon.Evil),
			after: 1, check: said, cause: "internal"},
		{name: "stale_epoch",
			then:  refuse("stale_epoch"),
			after: 2 * minute, check: lost, cause: "stale_epoch"},
		{name: "key_not_authorized",
			then:  refuse("key_not_authorized"),
			after: 2 * minute, check: lost, cause: "key_not_authorized"},
		{name: "too_many_sessions",
			then:  refuse("too_many_sessions"),
			after: 2 * minute, check: lost, cause: "too_many_sessions"},
		{name: "too_many_failures",
			then:  refuse("too_many_failures"),
			after: 2 * minute, check: lost, cause: "too_many_failures"},
		{name: "received too much",
			then:  with(func(w *welcome) { w.received = 2 }),
			after: 1, check: said, cause: "resume_mismatch"},
		{name: "received less than acknowledged",
			then:  with(func(w *welcome) { w.received = 0 }),
			after: 1, check: said, cause: "resume_mismatch"},
		{name: "received below 0",
			then:  with(func(w *welcome) { w.received = -1 }),
			after: 1, check: said, cause: "bad_frame"},
		{name: "GOODBYE",
			then: func(g *fakedaemon.Guest) {
				g.Say(protocol.TypeGoodbye, 0, "{}")
				g.Drain()
			},
			after: 1, check: is(mux.ErrGoodbye)},
		{name: "WELCOME twice",
			then: func(g *fakedaemon.Guest) {
				w := honest
				w.received = 1
				w.say(g)
				w.say(g)
				g.Drain()
			},
			after: 1, check: said, cause: "unexpected_frame"},
		{name: "sends again what was received", then: func(g *fakedaemon.Guest) {
			w := honest
			w.received = 1
			w.say(g)
			g.Say(protocol.TypeOpened, 1, `{"pid":1}`)
			g.Drain()
		}, after: 1, check: said, cause: "unexpected_frame"},
		{name: "an endless stream", then: func(g *fakedaemon.Guest) {
			w := honest
			w.received = 1
			w.say(g)
			flood(g, protocol.TypeStdout, 1, strings.Repeat("x", 10_000))
		}, after: 1, check: said, cause: "window_exceeded"},
		{name: "an endless stream before WELCOME", then: func(g *fakedaemon.Guest) {
			flood(g, protocol.TypeStdout, 1, strings.Repeat("x", 10_000))
		}, after: 1, check: said, cause: "unexpected_frame"},
		{name: "a second resend of 0", then: func(g *fakedaemon.Guest) {
			w := honest
			w.received, w.resend = 1, 0
			w.say(g)
		}, after: 1, check: lost, cause: "EOF"},
		{name: "a shorter hold", then: func(g *fakedaemon.Guest) {
			w := honest
			w.received, w.hold = 1, 5
			if w.say(g); g.Hello.Epoch > 2 {
				<-time.After(time.Hour)
			}
		},
			change: links(2, func(h *hostile, l *fakedaemon.Link) error {
				return errors.New("down")
			}),
			after: 5 * time.Second, check: lost, cause: "EOF"},
		{name: "a hold of 0 when it resumes", then: func(g *fakedaemon.Guest) {
			w := honest
			w.received, w.hold = 1, 0
			w.say(g)
		}, after: 1, check: lost, cause: "EOF"},
		{name: "a hold of 0", first: welcome{resend: 1 << 20, channels: 64},
			then:  refuse("internal"),
			after: 1, check: lost, cause: "EOF"},
		{name: "a hold of 317 years", first: welcome{resend: 1 << 20, channels: 64, hold: 1e10},
			change: links(1, func(*hostile, *fakedaemon.Link) error {
				return errors.New("down")
			}),
			after: 10 * minute, check: lost, cause: "EOF"},
		{name: "closes after WELCOME",
			then: func(g *fakedaemon.Guest) {
				w := honest
				w.received = 1
				w.say(g)
			}},
		{name: "closes in the middle of WELCOME",
			then:  func(g *fakedaemon.Guest) { g.Write([]byte{0, 0, 0, 9}) },
			after: 2 * minute, check: lost, cause: "EOF"},
		{name: "closes at HELLO",
			then:  func(*fakedaemon.Guest) {},
			after: 2 * minute, check: lost, cause: "EOF"},
		{name: "answers nothing to HELLO",
			then:  func(g *fakedaemon.Guest) { io.Copy(io.Discard, g) },
			after: 2 * minute, check: lost, cause: "EOF"},
		{name: "PINGs for an answer", then: func(g *fakedaemon.Guest) {
			for {
				ping := protocol.AppendNumber(nil, protocol.TypePing, 0, 1)
				if _, err := g.Write(ping); err != nil {
					return
				}
				<-time.After(time.Second)
			}
		}, after: 2 * minute, check: lost, cause: "EOF"},
		{name: "closes at once",
			change: links(1, func(_ *hostile, l *fakedaemon.Link) error {
				l.Close()
				return nil
			}),
			after: 2 * minute, check: lost, cause: "EOF"},
		{name: "hangs in TLS",
			change: links(1, func(_ *hostile, l *fakedaemon.Link) error {
				l.Lose()
				return nil
			}),
			after: 2 * minute, check: lost, cause: "EOF"},
		{name: "refuses connections", change: links(1, func(*hostile, *fakedaemon.Link) error {
			return &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		}), after: 2 * minute, check: lost, cause: "EOF"},
		{name: "has no name any more", change: links(1, func(*hostile, *fakedaemon.Link) error {
			return &net.DNSError{Err: "no such host", Name: "fake", IsNotFound: true}
		}), after: 2 * minute, check: lost, cause: "EOF"},
		{name: "another host key", change: links(1, func(h *hostile, _ *fakedaemon.Link) error {
			h.Host = fakedaemon.NewKey(t)
			return nil
		}), after: 2 * minute, check: lost, cause: "another host key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first := c.first
				if first == (welcome{}) {
					first = honest
				}
				h := meet(t, c.change, starts(first), c.then)
				h.pace(t, c.name)
				switch {
				case c.after == 0 && h.over:
					t.Errorf("it ended after %v", h.ended)
				case c.after == 0:
					return
				case !h.over:
					t.Fatalf("it has not ended after 12 minutes and %d links", len(h.Dials()))
				case h.ended < c.after-time.Second || h.ended > c.after+c.after/10+20*time.Second:
					t.Errorf("it ended after %v", h.ended)
				}
				c.check(t, h.conn.Session.Err(), c.cause)
				if len(h.Dials()) > 1000 {
					t.Errorf("%d attempts", len(h.Dials()))
				}
			})
		})
	}
}

// flood sends a frame until the client has had enough.
func flood(g *fakedaemon.Guest, kind protocol.Type, channel uint32, payload string) {
	frame := protocol.AppendFrame(nil, kind, 0, channel, []byte(payload))
	for range 1 << 20 {
		if _, err := g.Write(frame); err != nil {
			return
		}
	}
}

// A person, or a program, that goes on typing hurries the attempts, but not beyond their distance.
func TestHurry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := fakedaemon.NewNetwork(t, nil)
		n.Link = func(number int, _ *fakedaemon.Link) error {
			if number > 0 {
				return errors.New("down")
			}
			return nil
		}
		conn, err := n.Dialer.Dial(t.Context(), func(*mux.Session) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		n.Links()[0].Close()
		for range 20_000 {
			<-time.After(time.Millisecond)
			conn.Hurry()
		}
		if made := len(n.Dials()); made < 150 || made > 202 {
			t.Errorf("%d attempts in 20 seconds of typing", made)
		}
		conn.Session.Close(nil)
	})
}
