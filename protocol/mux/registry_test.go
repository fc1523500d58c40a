package mux

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
)

func name(i int) string { return fmt.Sprintf("%064x", i) }

// attach asks for session i of owner and user.
func attach(r *Registry, owner, user string, i int, create bool) (*Session, error) {
	return r.Attach(owner, &protocol.Hello{Session: name(i), User: user, Create: create},
		func() (*Session, error) {
			return New(Config{
				Role: Daemon, Accept: func(c *Channel) {
					<-c.Gone()
					<-time.After(5 * time.Second)
				}}), nil
		})
}

// A session is found by owner, user and name together (RE3, RULES B8): whoever knows its name has
// nothing without its key.
func TestRegistryFinds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := NewRegistry(10)
		s, err := attach(r, "key", "u", 1, true)
		must(t, err)
		for _, create := range []bool{false, true} {
			if again, err := attach(r, "key", "u", 1, create); again != s || err != nil {
				t.Errorf("not found again: %v", err)
			}
		}
		for _, other := range [][2]string{{"key2", "u"}, {"key", "v"}, {"keyu", ""}, {"", "keyu"}} {
			if _, err := attach(r, other[0], other[1], 1,
				false); codeOf(err) != protocol.CodeSessionUnknown {
				t.Errorf("%q: %v", other, err)
			}
		}
		if other, err := attach(r, "key2", "u", 1, true); err != nil || other == s {
			t.Error("the session of another key was handed out: ", err)
		}
		if len(r.Entries()) != 2 {
			t.Error(r.Entries())
		}
		for _, e := range r.Entries() {
			if e.User != "u" || e.Owner != "key" && e.Owner != "key2" ||
				!e.Since.Equal(time.Now()) {
				t.Errorf("%+v", e)
			}
			e.Session.Close(nil)
		}
		synctest.Wait()
		if len(r.Entries()) != 0 {
			t.Error("sessions that ended are still there")
		}
	})
}

// RE4: for 10 minutes the daemon knows how a session ended, then it no longer knows the session.
func TestRegistryTombs(t *testing.T) {
	for want, end := range map[protocol.Code]func(*Session){
		protocol.CodeSessionEnded: func(s *Session) { s.Close(nil) },
		protocol.CodeSessionExpired: func(s *Session) {
			s.mu.Lock()
			s.end(ErrExpired)
			s.mu.Unlock()
		},
	} {
		bubble(t, func(t *testing.T) {
			r := NewRegistry(10)
			s, err := attach(r, "key", "u", 1, true)
			must(t, err)
			end(s)
			for range 10 {
				for _, create := range []bool{false, true} {
					if _, err := attach(r, "key", "u", 1, create); codeOf(err) != want {
						t.Errorf("%v, want %s", err, want)
					}
				}
				<-time.After(time.Minute - time.Millisecond)
			}
			<-time.After(time.Second)
			if _, err := attach(r, "key", "u", 1,
				false); codeOf(err) != protocol.CodeSessionUnknown {
				t.Errorf("after 10 minutes: %v", err)
			}
			if len(r.tombs.all)+r.tombs.order.len()+len(r.tombs.users) != 0 {
				t.Error("the tomb is still there")
			}
		})
	}
}

// A session counts until its commands have ended too.
func TestRegistryLimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := NewRegistry(2)
		s, err := attach(r, "key", "u", 1, true)
		must(t, err)
		_, err = attach(r, "key", "u", 2, true)
		must(t, err)
		if _, err := attach(r, "key", "u", 3, true); codeOf(err) != protocol.CodeTooManySessions {
			t.Error(err)
		}
		p, _ := asDaemon(t, s, helloOf(nil))
		p.send(open(1))
		synctest.Wait()
		p.conn.Close()
		<-s.Done()
		if _, err := attach(r, "key", "u", 3, true); codeOf(err) != protocol.CodeTooManySessions {
			t.Error("a command is still ending: ", err)
		}
		if _, err := attach(r, "key", "u", 1, false); codeOf(err) != protocol.CodeSessionExpired {
			t.Error(err)
		}
		s.Wait()
		synctest.Wait()
		_, err = attach(r, "key", "u", 3, true)
		must(t, err)
	})
}

// What is remembered of sessions that are over is bounded, whoever makes them.
func TestRegistryTombsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := NewRegistry(1)
		const n = tombMost + 100
		for i := range n {
			s, err := attach(r, "key", "u", i, true)
			must(t, err)
			s.Close(nil)
			synctest.Wait()
		}
		if len(r.tombs.all) != tombMost || r.tombs.order.len() != tombMost {
			t.Errorf("%d tombs, %d in order", len(r.tombs.all), r.tombs.order.len())
		}
		if _, err := attach(r, "key", "u", n-1, false); codeOf(err) != protocol.CodeSessionEnded {
			t.Error("the newest is forgotten: ", err)
		}
		if _, err := attach(r, "key", "u", 0, false); codeOf(err) != protocol.CodeSessionUnknown {
			t.Error("the oldest is not: ", err)
		}
	})
}
