package mux

import (
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
)

// A peer that reads and never acknowledges makes us keep what Resend allows, 64 MiB; with many
// sessions that was all the memory there is, and no window bounds it. Sessions that share a bound
// keep no more than that together, beyond the least that each has (RULES D5). Each of them goes on
// with that least, whatever the others do, and what is acknowledged or ended is given back.
func TestKeptIsShared(t *testing.T) {
	const least, resend, all = 262_144, 64 << 20, 3 << 20
	bubble(t, func(t *testing.T) {
		budget := NewBudget(all)
		flood := func() (*Session, *script, *Channel) {
			made := make(chan *Channel, 1)
			s := New(Config{Role: Daemon, Resend: resend, Hold: time.Minute, Kept: budget,
				Accept: func(c *Channel) { made <- c; <-c.Gone() }})
			p, _ := asDaemon(t, s, helloOf(func(h *protocol.Hello) { h.Resend = resend }))
			p.send(open(1), num(protocol.TypeWindow, 1, 1<<40))
			return s, p, <-made
		}
		kept := func(s *Session) int64 {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.keptBytes
		}
		greedy, p, c := flood()
		go c.Write(protocol.TypeStdout, make([]byte, 16<<20))
		go func() {
			for {
				if _, err := p.r.Next(); err != nil {
					return
				}
			}
		}()
		synctest.Wait()
		if n := kept(greedy); n < all || n > all+least+protocol.MaxFrame {
			t.Errorf("%d bytes are kept for a peer that never acknowledges", n)
		}

		other, p2, c2 := flood()
		go c2.Write(protocol.TypeStdout, make([]byte, 8<<20))
		for n, frames := 0, uint64(0); n < 8<<20; {
			f, err := p2.r.Next()
			must(t, err)
			if !f.Type.IsLink() {
				n += int(f.Length)
				frames++
				p2.send(num(protocol.TypeAck, 0, frames))
			}
		}
		synctest.Wait()
		if n := kept(other); n != 0 {
			t.Errorf("%d bytes are kept although all was acknowledged", n)
		}

		for _, s := range []*Session{greedy, other} {
			go s.Close(nil)
			s.Wait()
		}
		p.conn.Close()
		p2.conn.Close()
		synctest.Wait()
		if budget.left != all {
			t.Errorf("%d of %d bytes were given back", budget.left, all)
		}
	})
}

// A session whose peer has acknowledged everything keeps no room from others: many of them may be
// idle for days.
func TestIdleSessionKeepsNoRoom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		budget := NewBudget(4 << 20)
		made := make(chan *Channel, 1)
		s := New(Config{Role: Daemon, Resend: 64 << 20, Hold: time.Minute, Kept: budget,
			Accept: func(c *Channel) { made <- c; <-c.Gone() }})
		p, _ := asDaemon(t, s, helloOf(func(h *protocol.Hello) { h.Resend = 64 << 20 }))
		p.send(open(1), num(protocol.TypeWindow, 1, 1<<40))
		go (<-made).Write(protocol.TypeStdout, make([]byte, 2<<20))
		frames := uint64(0)
		for n := 0; n < 2<<20; {
			f, err := p.r.Next()
			must(t, err)
			if !f.Type.IsLink() {
				n += int(f.Length)
				frames++
			}
		}
		if budget.left != 2<<20 {
			t.Errorf("%d bytes are left while nothing is acknowledged", budget.left)
		}
		p.send(num(protocol.TypeAck, 0, frames))
		synctest.Wait()
		if budget.left != 4<<20 {
			t.Errorf("%d bytes are left when all is", budget.left)
		}
		go s.Close(nil)
		s.Wait()
		p.conn.Close()
	})
}
