package mux

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
	"minissh/protocol/testend"
)

// PING after 15 seconds of silence, the end after 45; any byte is a sign of life (SE6).
func TestSilence(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Daemon})
		p, accepted := asDaemon(t, s, helloOf(nil))
		began := time.Now()
		after := func(want time.Duration) {
			t.Helper()
			if got := time.Since(began).Round(time.Millisecond); got != want {
				t.Errorf("after %v, want %v", got, want)
			}
		}
		p.want(protocol.TypePing, 0, "", "15 seconds passed in silence")
		after(15 * time.Second)
		<-time.After(10 * time.Second)
		p.send(num(protocol.TypePing, 0, 7)[:5]) // a part of a frame is a sign of life
		began = time.Now()
		p.want(protocol.TypePing, 0, "", "15 seconds passed since the last byte")
		after(15 * time.Second)
		p.want(protocol.TypePing, 0, "", "another 15")
		after(30 * time.Second)
		p.wantEnd("45 seconds passed since the last byte")
		after(45 * time.Second)
		if err := <-accepted; !errors.Is(err, ErrSilent) {
			t.Error(err)
		}
		var lost *LinkLost
		if !errors.As(s.Err(), &lost) || !errors.Is(s.Err(), ErrSilent) {
			t.Error(s.Err())
		}
	})
}

// A link that is used, or answers, is not given up.
func TestPong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Daemon})
		p, _ := asDaemon(t, s, helloOf(nil))
		for range 10 {
			f := p.want(protocol.TypePing, 0, "", "silence")
			p.send(num(protocol.TypePong, 0, f.Number()))
		}
		p.send(num(protocol.TypePing, 0, 1), num(protocol.TypePing, 0, 0xabcdef))
		p.want(protocol.TypePong, 0, "11259375",
			"of several PINGs the last is answered, with its bytes")
		if s.Err() != nil {
			t.Error(s.Err())
		}
		s.Close(nil)
		p.conn.Close()
	})
}

// A peer that never reads is dropped when a write has made no progress for 30 seconds (SE6), though
// its PINGs show that it lives. Reading goes on all the while (SE7).
func TestBlockedWriter(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 1)
		s := New(Config{Role: Daemon, Accept: func(c *Channel) { made <- c }})
		near, far := pipe()
		far.out.room = 4096
		accepted := make(chan error, 1)
		go func() { accepted <- s.Accept(far, helloOf(nil), &protocol.Welcome{}) }()
		p := play(t, near)
		p.want(protocol.TypeWelcome, 0, "", "")
		p.send(open(1))
		c := <-made
		began := time.Now()
		go c.Write(protocol.TypeStdout, make([]byte, 1<<20))
		for range 25 {
			<-time.After(time.Second)
			p.send(num(protocol.TypePing, 0, 1), msg(protocol.TypeStdin, 1, "x"))
		}
		synctest.Wait()
		if c.inbox.data != 25 {
			t.Errorf("%d bytes were read while the writer was stuck", c.inbox.data)
		}
		err := <-accepted
		if d := time.Since(began); d < 30*time.Second || d > 30*time.Second+closeWait {
			t.Errorf("dropped after %v", d)
		}
		var lost *LinkLost
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(s.Err(), &lost) {
			t.Errorf("%v, %v", err, s.Err())
		}
		near.Close()
	})
}

// When a write fails, what the peer had said before is the reason (FR8).
func TestReasonIsRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Client})
		c, _ := s.Open(&protocol.Open{Service: "test"})
		near, far := pipe()
		// the reason is under way when writing fails
		near.out.room, near.in.delay = 100000, time.Second
		connected := make(chan error, 1)
		go func() {
			_, err := s.Connect(near, &protocol.Hello{User: "u"})
			connected <- err
		}()
		go c.Write(protocol.TypeStdin, make([]byte, 1<<20))
		p := play(t, far)
		p.want(protocol.TypeHello, 0, "", "")
		p.send(msg(protocol.TypeError, 0, `{"code":"key_not_authorized"}`))
		near.out.set(func() { near.out.broken = syscall.EPIPE })
		if err := <-connected; codeOf(err) != protocol.CodeKeyNotAuthorized {
			t.Errorf("the reason is %v", err)
		}
		far.Close()
		<-s.Done()
	})
}

// If the peer says nothing, the failed write is the reason, not the wait for one.
func TestFailedWriteIsReason(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Daemon, Accept: echo})
		p, accepted := asDaemon(t, s, helloOf(nil))
		p.conn.in.set(func() { p.conn.in.broken = errors.New("broken") })
		p.send(open(1))
		if err := <-accepted; !errors.Is(err, syscall.EPIPE) {
			t.Error(err)
		}
		p.conn.Close()
		s.Wait()
	})
}

// A lost link is lost, in whatever way, and ends a session without Resend (SE5).
func TestLostLink(t *testing.T) {
	for name, cut := range map[string]func(p *script){
		"FIN":              func(p *script) { p.conn.CloseWrite() },
		"closed":           func(p *script) { p.conn.Close() },
		"reset":            func(p *script) { p.conn.in.cut() },
		"in a frame":       func(p *script) { p.send(open(3)[:14]); p.conn.CloseWrite() },
		"after the header": func(p *script) { p.send(open(3)[:12]); p.conn.CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := New(Config{Role: Daemon, Accept: echo})
				p, accepted := asDaemon(t, s, helloOf(nil))
				p.send(open(1), msg(protocol.TypeStdin, 1, "x"))
				p.want(protocol.TypeOpened, 1, "", "")
				p.want(protocol.TypeStdout, 1, "", "")
				cut(p)
				<-accepted
				var lost *LinkLost
				if !errors.As(s.Err(), &lost) {
					t.Error(s.Err())
				}
				s.Wait()
				p.conn.Close()
			})
		})
	}
}

// Close says GOODBYE after everything that waited, and a peer that was sending at that moment can
// read it: closing at once would reset the link and destroy both (FR7).
func TestGoodbyeSurvives(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 1)
		s := New(Config{Role: Daemon, Accept: func(c *Channel) { made <- c }})
		p, accepted := asDaemon(t, s, helloOf(nil))
		p.send(open(1))
		c := <-made
		must(t, c.Send(protocol.TypeOpened, &protocol.Opened{}))
		must(t, c.Send(protocol.TypeNotice, &protocol.Notice{Notice: "last words"}))
		go s.Close(&protocol.Reason{Code: protocol.CodeShuttingDown})
		for range 20 { // it streams all the while
			p.send(msg(protocol.TypeStdin, 1, "x"))
			<-time.After(time.Millisecond)
		}
		p.want(protocol.TypeOpened, 1, "", "")
		p.want(protocol.TypeNotice, 1, "last words", "it was sent before Close")
		p.want(protocol.TypeGoodbye, 0, "shutting_down", "the session was closed")
		p.wantEnd("GOODBYE is last")
		p.conn.Close()
		if err := <-accepted; err != nil {
			t.Error(err)
		}
		if s.Err() != ErrGoodbye {
			t.Error(s.Err())
		}
	})
}

// Close ends in bounded time with a peer that reads nothing, and with one that never stops sending.
func TestCloseIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 1)
		s := New(Config{Role: Daemon, Accept: func(c *Channel) { made <- c }})
		near, far := pipe()
		far.out.room = 1000
		go s.Accept(far, helloOf(nil), &protocol.Welcome{})
		p := play(t, near)
		p.want(protocol.TypeWelcome, 0, "", "")
		p.send(open(1))
		c := <-made
		go c.Write(protocol.TypeStdout, make([]byte, 1<<20))
		synctest.Wait()
		began := time.Now()
		s.Close(nil)
		s.Close(nil)
		if d := time.Since(began); d > closeWait+lingerTime {
			t.Errorf("a peer that does not read: %v", d)
		}
	})
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Daemon})
		p, _ := asDaemon(t, s, helloOf(nil))
		stop := make(chan struct{})
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
					p.conn.Write(num(protocol.TypePing, 0, 1))
				}
			}
		}()
		began := time.Now()
		s.Close(nil)
		if d := time.Since(began); d > closeWait+lingerTime {
			t.Errorf("a peer that does not stop: %v", d)
		}
		close(stop)
		p.conn.Close()
	})
}

// A client that has closed its channels is in a hurry: it does not wait a round trip for the daemon
// to hang up.
func TestClientClosesAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Client})
		c, _ := s.Open(&protocol.Open{Service: "test"})
		p, _, connected := asClient(t, s)
		p.send(welcome(0, 0), shut(1))
		must(t, <-connected)
		next(t, c, protocol.TypeClose)
		began := time.Now()
		c.Close(nil)
		s.Close(nil)
		if d := time.Since(began); d != 0 {
			t.Errorf("it took %v", d)
		}
		p.want(protocol.TypeOpen, 1, "", "")
		p.want(protocol.TypeClose, 1, "", "")
		p.want(protocol.TypeGoodbye, 0, "{}", "")
		p.wantEnd("")
	})
}

// A client whose process ends says GOODBYE, and leaves its connection to the kernel; if GOODBYE
// cannot go out at once, Leave waits for it as Close does.
func TestClientLeaves(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Client})
		p, _, connected := asClient(t, s)
		p.send(welcome(0, 0))
		must(t, <-connected)
		began := time.Now()
		s.Leave()
		if d := time.Since(began); d != 0 {
			t.Errorf("it took %v", d)
		}
		p.want(protocol.TypeGoodbye, 0, "{}", "")
		if _, err := s.Open(&protocol.Open{Service: "test"}); !errors.Is(err, ErrGoodbye) {
			t.Errorf("Open gives %v after it", err)
		}
		if _, err := p.conn.Write(num(protocol.TypePing, 0, 1)); err != nil {
			t.Errorf("the connection was closed: %v", err)
		}
		p.conn.Close()
	})
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Client})
		p, _, connected := asClient(t, s)
		p.send(welcome(0, 0))
		must(t, <-connected)
		p.conn.Close() // GOODBYE cannot be said
		s.Leave()
		<-s.Done()
	})
}

// Connect ends when the session is closed meanwhile, and a second one does not disturb it.
// SE2 and CO1: what the client is told instead of WELCOME.
// A WELCOME that breaks SE2 is a violation.
// Outside of fake time: when a session is over, its goroutines are too.
func TestNoGoroutineStays(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		near, far := pipe()
		daemon := New(Config{Role: Daemon, Accept: echo})
		accepted := make(chan struct{})
		go func() {
			f, err := protocol.NewReader(far).Next()
			var hello protocol.Hello
			if err == nil && f.Decode(&hello) == nil {
				daemon.Accept(far, &hello, &protocol.Welcome{})
			}
			close(accepted)
		}()
		client := New(Config{Role: Client})
		c, _ := client.Open(&protocol.Open{Service: "echo"})
		if _, err := client.Connect(near, &protocol.Hello{User: "u"}); err != nil {
			t.Fatal(err)
		}
		c.Write(protocol.TypeStdin, []byte("x"))
		client.Close(nil)
		<-accepted
		daemon.Wait()
	}
	testend.Until(t, "no more goroutines than before",
		func() bool { return runtime.NumGoroutine() <= before })
}

// SE8: a link ends before its TLS keys have served for more than 256 GiB.
func TestLinkMost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Daemon})
		p, accepted := asDaemon(t, s, helloOf(nil))
		s.mu.Lock()
		s.link.written = linkMost - 10
		s.mu.Unlock()
		p.send(num(protocol.TypePing, 0, 1))
		p.want(protocol.TypePong, 0, "", "")
		p.wantEnd("256 GiB have been sent")
		var lost *LinkLost
		if <-accepted; !errors.As(s.Err(), &lost) {
			t.Error(s.Err())
		}
	})
}

// Several Connects at once leave one link, and none of them hangs.

// While a process was stopped itself, its peer was not silent: when it goes on it sends PING, and
// waits for an answer as usual.
func TestStoppedOurselves(t *testing.T) {
	for _, role := range []Role{Client, Daemon} {
		bubble(t, func(t *testing.T) {
			s := New(Config{Role: role})
			var p *script
			if role == Daemon {
				p, _ = asDaemon(t, s, helloOf(nil))
			} else {
				p, _, _ = asClient(t, s)
				p.send(welcome(0, 0))
			}
			synctest.Wait()
			l := s.link
			l.heard.Store(time.Now().Add(-time.Hour).UnixNano())
			s.mu.Lock()
			l.again = time.Now().Add(-time.Hour + pingAfter)
			s.mu.Unlock()
			began := time.Now()
			l.keepAlive()
			p.want(protocol.TypePing, 0, "", "an hour has passed, of which nobody knew")
			if d := time.Since(began); d != 0 {
				t.Errorf("after %v", d)
			}
			p.want(protocol.TypePing, 0, "", "15 seconds later there is no answer")
			p.wantEnd("30 seconds later there is none either")
			if d := time.Since(began); d != deadAfter-pingAfter {
				t.Errorf("after %v", d)
			}
		})
	}
}
