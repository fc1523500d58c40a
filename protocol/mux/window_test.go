package mux

import (
	"io"
	"runtime/debug"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
)

// couple connects a client and a daemon over a link with a delay each way; the daemon's application
// is accept.
func couple(t *testing.T, delay time.Duration, client, daemon Config, accept func(*Channel)) (c,
	d *Session) {
	t.Helper()
	near, far := pipe()
	near.in.delay, near.out.delay = delay, delay
	client.Role, daemon.Role, daemon.Accept = Client, Daemon, accept
	c, d = New(client), New(daemon)
	go func() {
		f, err := protocol.NewReader(far).Next()
		hello := new(protocol.Hello)
		if err == nil {
			err = f.Decode(hello)
		}
		if err != nil {
			t.Error(err)
			return
		}
		d.Accept(far, hello, &protocol.Welcome{})
	}()
	_, err := c.Connect(near, &protocol.Hello{User: "u"})
	must(t, err)
	return c, d
}

// source sends n bytes of STDOUT as soon as it is asked to.
func source(n int) func(*Channel) {
	return func(c *Channel) {
		c.Send(protocol.TypeOpened, &protocol.Opened{})
		c.Write(protocol.TypeStdout, make([]byte, n))
		c.EOF(protocol.TypeStdout)
		<-c.Gone()
		c.Close(nil)
	}
}

// drain reads a channel to the EOF of STDOUT and says how long it took.
func drain(t *testing.T, c *Channel, pause time.Duration, piece int) time.Duration {
	t.Helper()
	began := time.Now()
	buf := make([]byte, piece)
	for {
		e, err := c.Next(buf)
		if err != nil {
			t.Errorf("after %v: %v", time.Since(began), err)
			return time.Since(began)
		}
		if e.EOF {
			return time.Since(began)
		}
		if pause > 0 {
			<-time.After(pause)
		}
	}
}

// CH7: at a round trip of 100 ms the window doubles with each, so that 60 MiB need about 8 round
// trips for growing, not the 240 that a fixed window would cost.
func TestWindowGrows(t *testing.T) {
	const size = 60 << 20
	const trip = 100 * time.Millisecond
	bubble(t, func(t *testing.T) {
		c, d := couple(t, trip/2, Config{}, Config{}, source(size))
		ch, err := c.Open(&protocol.Open{Service: "test"})
		must(t, err)
		took := drain(t, ch, 0, 1<<20)
		fixed := size / protocol.InitialWindow
		if trips := int(took / trip); trips < 6 || trips > 12 {
			t.Errorf("%d round trips; a window that is fixed takes %d", trips, fixed)
		}
		c.mu.Lock()
		window, grown, left := ch.window, c.grown, c.budget.left
		c.mu.Unlock()
		if window <= 8<<20 || grown != window-protocol.InitialWindow ||
			left != protocol.MaxWindow-grown {
			t.Errorf("window %d, grown %d, left of the budget %d", window, grown, left)
		}
		ch.Close(nil)
		for {
			if _, err := ch.Next(make([]byte, 100)); err != nil {
				break
			}
		}
		synctest.Wait()
		if c.grown != 0 || c.budget.left != protocol.MaxWindow {
			t.Errorf("after CLOSE: grown %d, left %d", c.grown, c.budget.left)
		}
		c.Close(nil)
		d.Wait()
	})
}

// A window is never doubled for a reader that is slower than the network, except for the last of
// its data, when nothing waits any more.
func TestSlowReaderKeepsWindow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, d := couple(t, time.Millisecond, Config{}, Config{}, source(16*protocol.InitialWindow))
		ch, err := c.Open(&protocol.Open{Service: "test"})
		must(t, err)
		buf := make([]byte, 4096)
		for read := 0; read < 15*protocol.InitialWindow; {
			e, err := ch.Next(buf)
			must(t, err)
			read += e.N
			c.mu.Lock()
			window, waits := ch.window, ch.inbox.data
			c.mu.Unlock()
			if window != protocol.InitialWindow || waits > protocol.InitialWindow {
				t.Errorf("after %d bytes the window is %d, and %d bytes wait", read, window, waits)
				break
			}
			<-time.After(5 * time.Millisecond)
		}
		c.Close(nil)
		d.Wait()
	})
}

// Windows grow to what the budget allows, over all sessions that share it, and give it back when
// the session ends.
func TestBudget(t *testing.T) {
	bubble(t, func(t *testing.T) {
		budget := NewBudget(1 << 20)
		var sessions []*Session
		for range 3 {
			c, _ := couple(t, 50*time.Millisecond, Config{Budget: budget}, Config{}, source(6<<20))
			sessions = append(sessions, c)
			ch, err := c.Open(&protocol.Open{Service: "test"})
			must(t, err)
			drain(t, ch, 0, 1<<20) // and it stays open
		}
		var grown int64
		for _, c := range sessions {
			grown += c.grown
		}
		if grown == 0 || grown+budget.left != 1<<20 || budget.left >= protocol.InitialWindow {
			t.Errorf("windows have grown by %d, left of the budget is %d", grown, budget.left)
		}
		for _, c := range sessions {
			c.Close(nil)
		}
		if budget.left != 1<<20 {
			t.Errorf("%d came back to the budget", budget.left)
		}
		<-time.After(time.Minute)
	})
}

// A channel that is over takes nothing from the budget, even if its last data is read later.
func TestNoGrowthAfterClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Client})
		c, _ := s.Open(&protocol.Open{Service: "test"})
		p, _, connected := asClient(t, s)
		p.send(welcome(0, 0), msg(protocol.TypeOpened, 1, `{"pid":7}`),
			data(protocol.TypeStdout, 1, 3*protocol.MaxPayload),
			protocol.AppendFrame(nil, protocol.TypeStdout, protocol.FlagBlocked, 1,
				make([]byte, protocol.MaxPayload)), shut(1))
		must(t, <-connected)
		synctest.Wait()
		c.Close(nil)
		buf := make([]byte, protocol.InitialWindow)
		for {
			if _, err := c.Next(buf); err == io.EOF {
				break
			}
		}
		if s.budget.left != protocol.MaxWindow || s.grown != 0 {
			t.Errorf("left of the budget: %d, grown %d: nobody will give it back", s.budget.left,
				s.grown)
		}
		s.Close(nil)
		p.conn.Close()
	})
}

// Credit is granted when half the window has been consumed, as a total, and never for a channel
// that we have closed.
func TestGrants(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 1)
		s := New(Config{Role: Daemon, Accept: func(c *Channel) { made <- c }})
		p, _ := asDaemon(t, s, helloOf(nil))
		p.send(open(1), data(protocol.TypeStdin, 1, protocol.InitialWindow))
		c := <-made
		synctest.Wait()
		take := func(n int) {
			t.Helper()
			for n > 0 {
				e, err := c.Next(make([]byte, n))
				if err != nil || e.N == 0 {
					t.Fatal(e, err)
				}
				n -= e.N
			}
		}
		take(protocol.InitialWindow/2 - 1)
		p.wantSilence(time.Second, "less than half is consumed")
		take(1)
		p.want(protocol.TypeWindow, 1, "393216", "half is consumed: 131072 + 262144 in all")
		p.send(data(protocol.TypeStdin, 1, protocol.InitialWindow/2))
		synctest.Wait()
		take(protocol.InitialWindow / 2)
		p.want(protocol.TypeWindow, 1, "524288", "the next half")
		take(protocol.InitialWindow/2 - 1)
		c.s.mu.Lock() // a grant and CLOSE in one moment
		c.s.consumed(c, 0)
		c.s.mu.Unlock()
		take(1)
		c.Close(nil)
		for {
			f, err := p.r.Next()
			must(t, err)
			if f.Type == protocol.TypeClose {
				break
			}
		}
		p.wantSilence(time.Second, "nothing follows CLOSE")
		s.Close(nil)
		p.conn.Close()
	})
}

// WINDOW, like everything, goes out only as fast as the peer reads: a reader's grants are merged
// into one frame.
func TestGrantsMerge(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 1)
		s := New(Config{Role: Daemon, Accept: func(c *Channel) { made <- c }})
		near, far := pipe()
		far.out.room = 60
		go s.Accept(far, helloOf(nil), &protocol.Welcome{}) // WELCOME itself does not fit
		near.out.cutAt = -1
		near.Write(open(1))
		c := <-made
		go func() {
			buf := make([]byte, 1<<16)
			for {
				if _, err := c.Next(buf); err != nil {
					return
				}
			}
		}()
		for range 20 { // the peer knows without reading that it may continue
			near.Write(data(protocol.TypeStdin, 1, protocol.InitialWindow/2))
			synctest.Wait()
		}
		if n := s.grants.len(); n > 1 {
			t.Errorf("%d grants wait", n)
		}
		if s.Err() != nil {
			t.Error(s.Err())
		}
		near.Close()
		s.Wait()
	})
}

// The inbox gives back what it borrows, and a queue that has run empty holds nothing large.
func TestInboxMemory(t *testing.T) {
	var in inbox
	for range 3 {
		for range 100 {
			in.put(protocol.TypeStdout, make([]byte, 3000))
			in.put(protocol.TypeStderr, make([]byte, 1))
		}
		in.mark(protocol.TypeStdout, nil, true)
		if n := in.blocks.len(); n != (300100+chunkSize-1)/chunkSize {
			t.Errorf("%d blocks for %d bytes", n, in.data)
		}
		for !in.empty() {
			_, from := in.take(777)
			from.giveBack()
		}
		if in.blocks.len() != 0 || in.data != 0 || cap(in.runs.items) > queueKeeps ||
			cap(in.blocks.items) > queueKeeps {
			t.Errorf("empty, but %d blocks, %d bytes, %d runs", in.blocks.len(), in.data,
				cap(in.runs.items))
		}
	}
}

// queue against a slice.
func TestQueue(t *testing.T) {
	var q queue[int]
	var model []int
	n := 0
	for round := range 2000 {
		if round*7919%13 < 7 || len(model) == 0 {
			q.push(n)
			model = append(model, n)
			n++
		} else {
			if got := q.pop(); got != model[0] {
				t.Fatalf("%d came out, not %d", got, model[0])
			}
			model = model[1:]
		}
		if q.len() != len(model) || len(model) > 0 && *q.at(len(model) - 1) != model[len(model)-1] {
			t.Fatalf("%d items, want %d", q.len(), len(model))
		}
		if len(q.items) > 4*len(model)+2*queueKeeps {
			t.Fatalf("%d places for %d items", len(q.items), len(model))
		}
	}
}

// A data frame allocates nothing on its way from Write to Next.
func TestAllocations(t *testing.T) {
	if info, _ := debug.ReadBuildInfo(); slices.Contains(info.Settings,
		debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("not run: under the race detector sync.Pool loses things on purpose")
	}
	s := New(Config{Role: Daemon, Accept: func(*Channel) {}})
	peer := New(Config{Role: Client})
	out, err := peer.Open(&protocol.Open{Service: "test"})
	must(t, err)
	near, _ := pipe()
	from, to := peer.newLink(near), s.newLink(near)
	from.flowing = true
	to.flowing = true
	p := make([]byte, 2*protocol.MaxPayload)
	got := make([]byte, len(p))
	buffer := make([]byte, 0, batchSize)
	peer.control.pop() // OPEN is delivered by hand
	must(t,
		s.receive(to,
			protocol.Frame{Header: protocol.Header{Type: protocol.TypeOpen, Channel: 1, Length: 2},
				Payload: []byte("{}")}))
	in := s.channels[1]
	move := func(l, to *link) {
		for {
			l.s.mu.Lock()
			b := l.collect(buffer[:0])
			l.s.mu.Unlock()
			if len(b) == 0 {
				return
			}
			for len(b) > 0 {
				h, err := protocol.ParseHeader(b)
				must(t, err)
				n := protocol.HeaderSize + int(h.Length)
				must(t,
					to.s.receive(to, protocol.Frame{Header: h, Payload: b[protocol.HeaderSize:n]}))
				b = b[n:]
			}
		}
	}
	to.greeted, from.greeted = true, true
	if n := testing.AllocsPerRun(50, func() {
		peer.mu.Lock()
		out.out[0] = p
		out.enlist()
		peer.mu.Unlock()
		move(from, to)
		for done := 0; done < len(p); {
			e, err := in.Next(got)
			must(t, err)
			done += e.N
		}
		move(to, from) // WINDOW
	}); n > 0 {
		t.Errorf("%v allocations for two frames there and a grant back", n)
	}
}

// Large requests are read one at a time, and a turn rests three times as long as it was used.
func TestLargeTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		b := NewBudget(0)
		end := b.largeTurn()
		<-time.After(3 * time.Second)
		end()
		b.largeTurn()()
		if took := time.Since(began); took != 12*time.Second {
			t.Errorf("the second turn began after %v, 12 s was expected", took)
		}
		b.largeTurn()() // one that took no time rests no time
		if took := time.Since(began); took != 12*time.Second {
			t.Errorf("the third turn began after %v, 12 s was expected", took)
		}
	})
}
