package mux

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
)

// keeping is a daemon's session that can resume.
func keeping(accept func(*Channel)) *Session {
	return New(Config{Role: Daemon, Accept: accept, Resend: protocol.MinResend, Hold: time.Minute})
}

// resuming is a HELLO for it.
func resuming(epoch, received int64) *protocol.Hello {
	return helloOf(func(h *protocol.Hello) {
		h.Epoch, h.Received, h.Resend, h.Hold, h.Create =
			epoch, received, protocol.MinResend, 60, epoch == 1
	})
}

// RULES B9: a HELLO whose epoch is not above the current one is refused, and the session does not
// notice.
func TestStaleEpoch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := keeping(ignore)
		p, _ := asDaemon(t, s, resuming(5, 0))
		for _, epoch := range []int64{5, 4, 1} {
			_, far := pipe()
			if err := s.Accept(far, resuming(epoch, 0), &protocol.Welcome{}); codeOf(
				err) != protocol.CodeStaleEpoch {
				t.Errorf("epoch %d: %v", epoch, err)
			}
			if _, err := far.Write([]byte("x")); err != nil {
				t.Error("the connection is not the caller's any more: ", err)
			}
		}
		p.send(num(protocol.TypePing, 0, 1))
		p.want(protocol.TypePong, 0, "", "the link lives")
		s.Close(nil)
		p.conn.Close()
	})
}

// RULES B10: the newest epoch wins. The old link is closed, and what was not read from it is lost:
// the count in WELCOME says so.
func TestNewestWins(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := keeping(ignore)
		p, accepted := asDaemon(t, s, resuming(1, 0))
		p.send(open(1), msg(protocol.TypeStdin, 1, "abc"), open(3)[:20]) // two frames and a part
		p.want(protocol.TypeAck, 0, "", "two were received (RE1)")
		near, far := pipe()
		go s.Accept(far, resuming(2, 0), &protocol.Welcome{})
		q := play(t, near)
		q.want(protocol.TypeWelcome, 0, `"received":2`, "a part of a frame counts nothing (SE4)")
		if err := <-accepted; !errors.Is(err, errReplaced) {
			t.Error(err)
		}
		p.wantEnd("a newer link took its place")
		q.send(open(3))
		synctest.Wait()
		if s.Err() != nil || s.received != 3 {
			t.Error(s.Err(), s.received)
		}
		s.Close(nil)
		q.conn.Close()
		p.conn.Close()
	})
}

// Many links at once for one session: one at a time serves it, the newest is the last, and nothing
// hangs.
func TestAcceptRace(t *testing.T) {
	for range 20 {
		bubble(t, func(t *testing.T) {
			s := keeping(ignore)
			var all sync.WaitGroup
			var ends []*end
			for epoch := range int64(10) {
				near, far := pipe()
				ends = append(ends, near)
				all.Go(func() {
					s.Accept(far, resuming(epoch+1, 0), &protocol.Welcome{})
					far.Close()
				})
			}
			synctest.Wait()
			q := play(t, ends[9])
			q.want(protocol.TypeWelcome, 0, "", "it has the newest epoch")
			q.send(num(protocol.TypePing, 0, 1))
			q.want(protocol.TypePong, 0, "", "")
			s.Close(nil)
			for _, e := range ends {
				e.Close()
			}
			all.Wait()
			if s.Err() != ErrGoodbye {
				t.Error(s.Err())
			}
		})
	}
}

// RULES B11: acked ≤ received ≤ sent, or resume_mismatch ends the session; at the daemon and at the
// client.
func TestResumeMismatch(t *testing.T) {
	for name, c := range map[string]struct {
		received int64
		ok       bool
	}{"below what was acknowledged": {1, false}, "what was acknowledged": {2, true},
		"everything": {3, true}, "more than was sent": {4, false}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				made := make(chan *Channel, 1)
				s := keeping(func(c *Channel) { made <- c })
				p, accepted := asDaemon(t, s, resuming(1, 0))
				p.send(open(1))
				ch := <-made
				ch.Send(protocol.TypeOpened, &protocol.Opened{})
				ch.EOF(protocol.TypeStdout)
				ch.EOF(protocol.TypeStderr)
				p.want(protocol.TypeOpened, 1, "", "")
				p.want(protocol.TypeEOF, 1, "STDOUT", "")
				synctest.Wait() // the third is sent too, and this end will say that it never came
				p.send(num(protocol.TypeAck, 0, 2))
				synctest.Wait()
				p.conn.Close()
				<-accepted
				near, far := pipe()
				go func() { accepted2(s, far, resuming(2, c.received)) }()
				q := play(t, near)
				if c.ok {
					q.want(protocol.TypeWelcome, 0, `"received":1`, "the count is possible")
					if c.received == 2 {
						q.want(protocol.TypeEOF, 1, "STDERR", "the third frame is sent again")
					}
					s.Close(nil)
				} else {
					q.want(protocol.TypeError, 0, "resume_mismatch", "the count is not possible")
					said := time.Now()
					q.wantEnd("the daemon closes its sending side at once (FR7)")
					if waited := time.Since(said); waited > 0 {
						t.Errorf("FIN came %v after ERROR", waited)
					}
					q.conn.Close()
					<-s.Done()
					if codeOf(s.Err()) != protocol.CodeResumeMismatch {
						t.Error(s.Err())
					}
				}
				q.conn.Close()
			})
		})
	}
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Client, Resend: protocol.MinResend})
		s.Open(&protocol.Open{Service: "test"})
		p, _, connected := asClient(t, s)
		p.want(protocol.TypeOpen, 1, "", "")
		p.conn.Close()
		<-connected
		p, hello, connected := asClient(t, s)
		if hello.Epoch != 2 || !hello.Create {
			t.Errorf("%+v", hello)
		}
		p.wantSilence(time.Second, "after a HELLO that resumes a client waits for WELCOME (SE3)")
		p.send(welcome(2, protocol.MinResend))
		p.want(protocol.TypeError, 0, "resume_mismatch", "only one frame was sent")
		p.conn.Close()
		if err := <-connected; codeOf(err) != protocol.CodeResumeMismatch {
			t.Error(err)
		}
	})
}

func accepted2(s *Session, far *end, hello *protocol.Hello) {
	s.Accept(far, hello, &protocol.Welcome{})
	far.Close()
}

// RE1: frames are acknowledged after 20 ms, or at once when a quarter of the peer's buffer has
// come, without anything going the other way. An ACK that shrinks or exceeds what was sent is a
// violation (RE1). RE2: no session frame is sent while the frames that were kept fill the resend
// buffer, whatever credit there is. Link frames are. RULES B3: with no link nothing is numbered;
// frames that waited go out on the next one, once.
func TestNothingNumberedWithoutLink(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 1)
		s := keeping(func(c *Channel) { made <- c })
		p, accepted := asDaemon(t, s, resuming(1, 0))
		p.send(open(1))
		c := <-made
		p.want(protocol.TypeAck, 0, "", "")
		p.conn.Close()
		<-accepted
		must(t, c.Send(protocol.TypeOpened, &protocol.Opened{PID: 9}))
		go c.Write(protocol.TypeStdout, []byte("later"))
		synctest.Wait()
		if s.sent != 0 || s.kept.len() != 0 {
			t.Errorf("%d frames were numbered for nobody", s.sent)
		}
		q, _ := asDaemon(t, s, resuming(2, 0))
		q.want(protocol.TypeOpened, 1, "9", "it waited")
		q.want(protocol.TypeStdout, 1, "later", "it waited too")
		s.Close(nil)
		q.conn.Close()
	})
}

// GOODBYE while frames are still being sent again does not let others overtake them.
func TestGoodbyeDuringResend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 1)
		s := New(Config{Role: Daemon, Accept: func(c *Channel) { made <- c },
			Resend: 4 * protocol.MinResend, Hold: time.Minute})
		p, accepted := asDaemon(t, s, resuming(1, 0))
		p.send(open(1))
		c := <-made
		c.Send(protocol.TypeOpened, &protocol.Opened{})
		p.send(protocol.AppendNumber(nil, protocol.TypeWindow, 1, 8*protocol.MaxPayload))
		c.Write(protocol.TypeStdout, make([]byte, 8*protocol.MaxPayload)) // more than one batch
		p.conn.Close()
		<-accepted
		c.EOF(protocol.TypeStdout)
		near, far := pipe()
		far.out.room = 100
		go accepted2(s, far, resuming(2, 0))
		q := play(t, near)
		q.want(protocol.TypeWelcome, 0, "", "")
		synctest.Wait() // the first of them is stuck
		go s.Close(nil)
		synctest.Wait() // it has queued its last words
		again := 0
		for {
			f, err := q.r.Next()
			if err != nil {
				break
			}
			if f.Type == protocol.TypeEOF {
				t.Error("EOF overtook the data that was to be sent again")
			}
			if f.Type.IsData() {
				again += int(f.Length)
			}
		}
		if again == 8*protocol.MaxPayload {
			t.Error("this test does not test what it says")
		}
		q.conn.Close()
	})
}

// The 20 ms timer of a link that is gone says nothing on the next one, whose WELCOME has said it.
// A session that ended answers a HELLO with how it ended.
func TestAcceptAfterEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := keeping(ignore)
		p, _ := asDaemon(t, s, resuming(1, 0))
		p.conn.Close()
		<-s.Done()
		_, far := pipe()
		if err := s.Accept(far, resuming(2, 0), &protocol.Welcome{}); codeOf(
			err) != protocol.CodeSessionExpired {
			t.Error(err)
		}
		s = keeping(ignore)
		s.Close(nil)
		if err := s.Accept(far, resuming(2, 0), &protocol.Welcome{}); codeOf(
			err) != protocol.CodeSessionEnded {
			t.Error(err)
		}
	})
}

// The daemon grants as much hold as its own configuration allows.
func TestHoldGranted(t *testing.T) {
	for _, c := range []struct{ asked, granted int64 }{{0, 0}, {10, 10}, {60, 60}, {1 << 62, 60}} {
		bubble(t, func(t *testing.T) {
			s := keeping(ignore)
			near, far := pipe()
			w := &protocol.Welcome{}
			hello := resuming(1, 0)
			hello.Hold = c.asked
			go s.Accept(far, hello, w)
			play(t, near).want(protocol.TypeWelcome, 0, "", "")
			if w.Hold != c.granted || w.Resend != protocol.MinResend ||
				w.Channels != protocol.MinChannels {
				t.Errorf("%+v for %d", w, c.asked)
			}
			s.Close(nil)
			near.Close()
		})
	}
}

// Two links that wait for the same old one to be gone: the one with the newer epoch gets the
// session, whichever wakes first (RULES B10).
func TestTwoWaitForTheOld(t *testing.T) {
	bubble(t, func(t *testing.T) {
		hold, held := make(chan struct{}), make(chan struct{})
		s := New(Config{Role: Daemon, Resend: protocol.MinResend, Hold: time.Minute,
			Trace: func(d Direction, f protocol.Frame) {
				// keeps the old link's reader from ending
				if d == Received && f.Type == protocol.TypePong {
					close(held)
					<-hold
				}
			}})
		p, _ := asDaemon(t, s, resuming(1, 0))
		p.send(num(protocol.TypePong, 0, 0))
		<-held
		results := map[int64]chan error{2: make(chan error, 1), 3: make(chan error, 1)}
		ends := map[int64]*end{}
		for epoch := int64(2); epoch <= 3; epoch++ {
			near, far := pipe()
			ends[epoch] = near
			go func() {
				results[epoch] <- s.Accept(far, resuming(epoch, 0), &protocol.Welcome{})
				far.Close()
			}()
			synctest.Wait()
		}
		close(hold)
		if err := <-results[2]; codeOf(err) != protocol.CodeStaleEpoch {
			t.Error(err)
		}
		play(t, ends[2]).wantEnd("its epoch is not the newest")
		play(t, ends[3]).want(protocol.TypeWelcome, 0, "", "its epoch is")
		s.Close(nil)
		ends[3].Close()
		<-results[3]
	})
}

// After WELCOME what the daemon has not received is sent again at once, and what waited follows it
// (RE3).
func TestResumesAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Client, Resend: protocol.MinResend})
		c, _ := s.Open(&protocol.Open{Service: "test"})
		p, _, connected := asClient(t, s)
		p.want(protocol.TypeOpen, 1, "", "")
		p.conn.Close()
		<-connected
		must(t, c.EOF(protocol.TypeStdin))
		p, _, connected = asClient(t, s)
		synctest.Wait()
		began := time.Now()
		p.send(welcome(0, protocol.MinResend))
		p.want(protocol.TypeOpen, 1, "", "it was sent, and not received")
		p.want(protocol.TypeEOF, 1, "STDIN", "it waited")
		must(t, <-connected)
		if d := time.Since(began); d != 0 {
			t.Errorf("it took %v", d)
		}
		s.Close(nil)
		p.conn.Close()
	})
}
