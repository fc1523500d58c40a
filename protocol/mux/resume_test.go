package mux

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"minissh/protocol"
)

// world is a daemon and a client whose link is cut again and again, with a driver that connects
// again at once, as a real client would.
type world struct {
	t        *testing.T
	client   *Session
	registry *Registry
	daemon   *Session             // made by the registry
	link     func(near, far *end) // prepares the next link
	size     int                  // bytes each way on each channel
	pause    func()               // between two reads of an application
	accepts  int                  // OPENs that reached an application
	links    int
	mu       sync.Mutex
	apps     sync.WaitGroup
}

const worldResend = protocol.MinResend // the smallest there is

// pattern is the data of a channel's direction: every byte differs from those two places away, so
// that any loss, doubling or disorder shows.
func pattern(seed uint64, n int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed)})
	b := make([]byte, n)
	r.Read(b)
	return b
}

func newWorld(t *testing.T, size int) *world {
	w := &world{t: t, size: size, registry: NewRegistry(2), pause: func() {},
		link: func(near, far *end) {}}
	w.client = New(Config{Role: Client, Resend: worldResend})
	return w
}

// serve is the daemon's side of one link.
func (w *world) serve(far *end) {
	defer far.Close()
	f, err := protocol.NewReader(far).Next()
	if err != nil {
		return
	}
	hello := new(protocol.Hello)
	if err := f.Decode(hello); err != nil {
		w.t.Error(err)
		return
	}
	if err := hello.Check(); err != nil {
		w.t.Error(err)
	}
	s, err := w.registry.Attach("key", hello, func() (*Session, error) {
		w.daemon = New(Config{Role: Daemon, Resend: worldResend, Hold: time.Minute,
			Accept: w.accept})
		return w.daemon, nil
	})
	if err == nil {
		err = s.Accept(far, hello, &protocol.Welcome{Uptime: 1e6})
	}
	if code := codeOf(err); code != "" && code != protocol.CodeStaleEpoch {
		w.t.Errorf("the daemon says %v", err)
	}
}

// accept is the daemon's application: it reads all of STDIN while it writes STDOUT and STDERR, then
// exits with the channel's number.
func (w *world) accept(c *Channel) {
	w.mu.Lock()
	w.accepts++
	w.mu.Unlock()
	c.Send(protocol.TypeOpened, &protocol.Opened{PID: int(c.ID())})
	var writers sync.WaitGroup
	for _, kind := range []protocol.Type{protocol.TypeStdout, protocol.TypeStderr} {
		writers.Go(func() {
			b := pattern(uint64(c.ID())+uint64(kind), w.size/2)
			for len(b) > 0 {
				n := min(len(b), 1+len(b)/3)
				if _, err := c.Write(kind, b[:n]); err != nil {
					w.t.Errorf("daemon, channel %d: %v", c.ID(), err)
					return
				}
				b = b[n:]
			}
			c.EOF(kind)
		})
	}
	got, err := w.readAll(c, protocol.TypeStdin)
	if err != nil {
		w.t.Errorf("daemon, channel %d: %v", c.ID(), err)
	}
	if !bytes.Equal(got, pattern(uint64(c.ID())+uint64(protocol.TypeStdin), w.size)) {
		w.t.Errorf("STDIN of channel %d: %d bytes of %d, or others", c.ID(), len(got), w.size)
	}
	writers.Wait()
	code := int(c.ID())
	c.Send(protocol.TypeExit, &protocol.Exit{How: protocol.HowExited, Code: &code})
	c.Close(nil)
	for {
		if _, err := c.Next(nil); err != nil {
			return
		}
	}
}

// readAll reads STDIN to its EOF.
func (w *world) readAll(c *Channel, kind protocol.Type) (got []byte, err error) {
	buf := make([]byte, 20000)
	for {
		e, err := c.Next(buf)
		if err != nil {
			return got, err
		}
		if e.EOF {
			return got, nil
		}
		got = append(got, buf[:e.N]...)
		w.pause()
	}
}

// use is the client's application.
func (w *world) use(c *Channel) {
	w.apps.Go(func() {
		b := pattern(uint64(c.ID())+uint64(protocol.TypeStdin), w.size)
		for len(b) > 0 {
			n := min(len(b), 1+len(b)/2)
			if _, err := c.Write(protocol.TypeStdin, b[:n]); err != nil {
				w.t.Errorf("client, channel %d: %v", c.ID(), err)
				return
			}
			b = b[n:]
		}
		if err := c.EOF(protocol.TypeStdin); err != nil {
			w.t.Error(err)
		}
	})
	w.apps.Go(func() {
		got := map[protocol.Type][]byte{}
		exits := 0
		buf := make([]byte, 30000)
		for {
			e, err := c.Next(buf)
			if err == io.EOF {
				break
			}
			if err != nil {
				w.t.Errorf("client, channel %d: %v", c.ID(), err)
				return
			}
			got[e.Type] = append(got[e.Type], buf[:e.N]...)
			if e.Type == protocol.TypeExit {
				if exits++; *e.Message.(*protocol.Exit).Code != int(c.ID()) {
					w.t.Errorf("channel %d exits with %v", c.ID(), e.Message)
				}
			}
			w.pause()
		}
		c.Close(nil)
		for _, kind := range []protocol.Type{protocol.TypeStdout, protocol.TypeStderr} {
			if !bytes.Equal(got[kind], pattern(uint64(c.ID())+uint64(kind), w.size/2)) {
				w.t.Errorf("%v of channel %d: %d bytes of %d, or others", kind, c.ID(),
					len(got[kind]), w.size/2)
			}
		}
		if exits != 1 {
			w.t.Errorf("channel %d exited %d times", c.ID(), exits)
		}
	})
}

// drive connects the client again whenever its link is lost, until the session ends.
func (w *world) drive() {
	for w.client.Err() == nil {
		near, far := pipe()
		w.link(near, far)
		w.links++
		served := make(chan struct{})
		go func() { w.serve(far); close(served) }()
		_, err := w.client.Connect(near, &protocol.Hello{User: "u", Hold: 60})
		if code := codeOf(err); code != "" {
			w.t.Errorf("the client says %v", err)
			return
		}
		w.client.mu.Lock()
		l := w.client.link
		w.client.mu.Unlock()
		if l != nil {
			<-l.done
		}
	}
}

// run runs it all to its end, which the rules of RULES B make sure of.
func (w *world) run() {
	w.t.Helper()
	for range 2 {
		c, err := w.client.Open(&protocol.Open{Service: "test"})
		must(w.t, err)
		w.use(c)
	}
	driven := make(chan struct{})
	go func() { w.drive(); close(driven) }()
	done := make(chan struct{})
	go func() { w.apps.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(2 * time.Hour):
		w.t.Errorf("it has come to a standstill: %s; %s", state(w.client), state(w.daemon))
		w.daemon.Close(nil)
	}
	<-time.After(5 * time.Minute) // the last CLOSE and ACK, over a new link if needed
	if !w.t.Failed() {
		for name, s := range map[string]*Session{"client": w.client, "daemon": w.daemon} {
			s.mu.Lock()
			if s.kept.len() != 0 || s.keptBytes != 0 || s.acked != s.sent || len(s.channels) != 0 ||
				s.ended != nil {
				w.t.Errorf("%s: %d bytes of frames are kept, %d of %d acknowledged, %d channels, "+
					"%v", name, s.keptBytes, s.acked, s.sent, len(s.channels), s.ended)
			}
			s.mu.Unlock()
		}
	}
	w.client.Close(nil)
	<-driven
	if w.daemon != nil {
		w.daemon.Wait()
	}
	if w.accepts != 2 {
		w.t.Errorf("%d channels were accepted, not 2", w.accepts)
	}
}

func state(s *Session) string {
	if s == nil {
		return "no session"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("sent %d, acked %d, kept %d bytes, received %d, link %v, ended %v", s.sent,
		s.acked, s.keptBytes, s.received, s.link != nil, s.ended)
}

// TestCutOnce cuts the first link after each frame, in both directions, and a few bytes into the
// next frame.
func TestCutOnce(t *testing.T) {
	for _, up := range []bool{true, false} {
		for _, extra := range []int64{0, 5, 13} {
			for _, lossy := range []bool{false, true} {
				if lossy && extra == 5 {
					continue
				}
				t.Run(fmt.Sprintf("up=%v,extra=%d,lossy=%v", up, extra, lossy), func(t *testing.T) {
					for frame := 1; !t.Failed(); frame++ {
						cut := true
						bubble(t, func(t *testing.T) {
							w := newWorld(t, 3000)
							w.link = func(near, far *end) {
								if w.links > 0 {
									return
								}
								wire := near.out
								if !up {
									wire = near.in
								}
								wire.frames, wire.extra = frame, extra
								near.in.lossy, near.out.lossy = lossy, lossy
							}
							w.run()
							cut = w.links > 1
						})
						if !cut {
							if frame < 20 {
								t.Errorf("only %d frames were seen", frame)
							}
							break
						}
					}
				})
			}
		}
	}
}

// TestCutAlways cuts every link at a random place, with large data, slow readers, a delay, ACK and
// WINDOW under way, in all the ways a link can break: both ends are told; they are told but what
// was under way is lost; nobody is told.
func TestCutAlways(t *testing.T) {
	for seed := range 20 {
		bubble(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(seed), 1))
			w := newWorld(t, 1<<19)
			if seed%2 == 1 {
				w.pause = func() { <-time.After(time.Millisecond) }
			}
			w.link = func(near, far *end) {
				for _, wire := range []*wire{near.in, near.out} {
					wire.lossy = r.IntN(2) == 0
					wire.delay = time.Duration(r.IntN(3)) * 10 * time.Millisecond
					if seed%5 == 2 {
						wire.room = 50000
					}
				}
				wire := near.in
				if r.IntN(2) == 0 {
					wire = near.out
				}
				if r.IntN(30) > 0 {
					wire.cutAt = 10 + r.Int64N(150_000)
				}
				if seed%4 == 3 { // a cable that was pulled out: nobody is told
					wire.cut = func() { wire.set(func() { wire.broken, wire.hole = nil, true }) }
				}
			}
			w.run()
			if t.Failed() {
				t.Logf("seed %d, %d links", seed, w.links)
			}
		})
		if t.Failed() {
			return
		}
	}
}

// RE5: a link that breaks before WELCOME leaves no doubt: the client asks again for the same
// session, and its command is started once.
func TestCutBeforeWelcome(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 100)
		w.link = func(near, far *end) {
			if w.links < 5 {
				near.in.cutAt = int64(w.links) // WELCOME does not come through
			}
		}
		w.run()
		if w.links != 6 {
			t.Errorf("%d links", w.links)
		}
		if !w.client.welcomed {
			t.Error("no WELCOME")
		}
	})
}

// RE4: without a link the daemon's session is kept, for 10 seconds after a FIN or RST, for the
// granted hold after silence; then it expires.
func TestHold(t *testing.T) {
	for name, c := range map[string]struct {
		lose func(*script)
		want time.Duration
	}{
		"FIN":     {func(p *script) { p.conn.Close() }, 10 * time.Second},
		"silence": {func(p *script) {}, deadAfter + 40*time.Second},
		"stuck": {func(p *script) {
			p.conn.in.set(func() { p.conn.in.room = 1 })
			go func() { // it sends, so it is not silent, but it does not read the answers
				for range 40 {
					if _, err := p.conn.Write(num(protocol.TypePing, 0, 1)); err != nil {
						return
					}
					<-time.After(time.Second)
				}
			}()
		}, writeStall + closeWait + 40*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := New(Config{Role: Daemon, Accept: ignore, Resend: protocol.MinResend,
					Hold: time.Minute})
				p, _ := asDaemon(t, s,
					helloOf(func(h *protocol.Hello) { h.Resend, h.Hold = protocol.MinResend, 40 }))
				p.send(open(1))
				began := time.Now()
				c.lose(p)
				s.Wait()
				if d := time.Since(began); d < c.want-closeWait || d > c.want+closeWait {
					t.Errorf("expired after %v, want %v", d, c.want)
				}
				if !errors.Is(s.Err(), ErrExpired) {
					t.Error(s.Err())
				}
				p.conn.Close()
			})
		})
	}
}
