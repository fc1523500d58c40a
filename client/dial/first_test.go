//go:build unix

package dial_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"minissh/client/fakedaemon"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// A link that is lost before the daemon has answered is made again, for the same session, a few
// times within ten seconds; then it is as if it had not been. Whatever the daemon answers, no other
// session is made, which could start the command twice.
func TestFirstLink(t *testing.T) {
	type turn = []func(*fakedaemon.Guest)
	closes := func(*fakedaemon.Guest) {}
	const never = "closed the connection before letting us in"
	for _, c := range []struct {
		name   string
		change func(*hostile)
		turns  []func(*fakedaemon.Guest)
		dials  int
		said   string // "": it succeeds
	}{
		{name: "always", turns: turn{closes}, dials: 7, said: never},
		{name: "not to be resumed", turns: turn{closes}, dials: 1, said: never,
			change: func(h *hostile) { h.Dialer.Options.ResumeFor = 0 }},
		{name: "three times", turns: turn{closes, closes, closes,
			func(g *fakedaemon.Guest) { honest.say(g); g.Until(0) }}, dials: 4},
		{name: "and the key is refused then",
			turns: turn{closes, fakedaemon.Refuse(`{"code":"key_not_authorized"}`)}, dials: 2,
			said: never},
		{name: "and the session is over then",
			turns: turn{closes, fakedaemon.Refuse(`{"code":"session_expired"}`)}, dials: 2,
			said: never},
		{name: "and there is no room then",
			turns: turn{closes, fakedaemon.Refuse(`{"code":"too_many_sessions"}`)}, dials: 2,
			said: "too_many_sessions"},
		{name: "and the daemon has restarted then", turns: turn{closes,
			func(g *fakedaemon.Guest) {
				g.Say(protocol.TypeWelcome, 0,
					`{"received":0,"resend":1048576,"hold":9,"channels":64,"uptime_ms":0}`)
				g.Drain()
			}}, dials: 2, said: "was restarted"},
		{name: "and the network is down then", turns: turn{closes}, dials: 7, said: never,
			change: func(h *hostile) {
				h.Link = func(n int, _ *fakedaemon.Link) error {
					if n > 0 {
						return errors.New("down")
					}
					return nil
				}
			}},
		{name: "and nothing answers then",
			turns: turn{closes, func(g *fakedaemon.Guest) { io.Copy(io.Discard, g) }}, dials: 2,
			said: "in time"},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := &hostile{Network: fakedaemon.NewNetwork(t, nil)}
			names := map[string]bool{}
			for _, turn := range c.turns {
				h.Turns = append(h.Turns, func(g *fakedaemon.Guest) {
					names[g.Hello.Session] = true
					if !g.Hello.Create {
						t.Errorf("%s: %+v", c.name, g.Hello)
					}
					turn(g)
				})
			}
			if c.change != nil {
				c.change(h)
			}
			began := time.Now()
			conn, err := h.Dialer.Dial(t.Context(), func(s *mux.Session) error {
				_, err := s.Open(&protocol.Open{Service: "exec", Command: protocol.Bytes("x")})
				return err
			})
			if took := time.Since(began); took > 11*time.Second {
				t.Errorf("%s: it took %v", c.name, took)
			}
			if dials := len(h.Dials()); dials != c.dials {
				t.Errorf("%s: %d attempts", c.name, dials)
			}
			synctest.Wait()
			if len(names) != 1 {
				t.Errorf("%s: %d sessions", c.name, len(names))
			}
			switch {
			case c.said == "" && err != nil, c.said != "" && (err == nil ||
				!strings.Contains(err.Error(), c.said)):
				t.Errorf("%s: %v", c.name, err)
			case err == nil:
				conn.Session.Close(nil)
			}
		})
	}
}
