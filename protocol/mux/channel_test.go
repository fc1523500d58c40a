package mux

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
)

// next wants the next event of a channel.
func next(t *testing.T, c *Channel, want protocol.Type) Event {
	t.Helper()
	e, err := c.Next(make([]byte, 1<<16))
	if err != nil || e.Type != want {
		t.Fatalf("%v was wanted; instead %+v, %v", want, e, err)
	}
	return e
}

// A channel's life as its acceptor sees it (CH4): everything arrives in the order of sending.
func TestAcceptorOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Daemon, Accept: echo})
		p, _ := asDaemon(t, s, helloOf(nil))
		p.send(open(1), msg(protocol.TypeStdin, 1, "hi\n"), ended(protocol.TypeStdin, 1))
		p.want(protocol.TypeOpened, 1, `{"pid":1}`, "the channel was accepted")
		p.want(protocol.TypeStdout, 1, `"hi\n"`, "STDIN comes back")
		p.want(protocol.TypeEOF, 1, "STDOUT", "output has ended")
		p.want(protocol.TypeEOF, 1, "STDERR", "there was none")
		p.want(protocol.TypeExit, 1, `"code":0`, "EXIT follows all output")
		p.want(protocol.TypeClose, 1, "{}", "CLOSE is last")
		p.send(shut(1), msg(protocol.TypeGoodbye, 0, "{}"))
		p.wantEnd("GOODBYE was said")
		s.Wait()
		if s.Err() != ErrGoodbye {
			t.Fatal(s.Err())
		}
	})
}

// counted counts what is written at a time.
type counted struct {
	net.Conn
	writes *atomic.Int32
}

func (c counted) Write(p []byte) (int, error) { c.writes.Add(1); return c.Conn.Write(p) }

// A command's end comes in one piece: EOF for what has none yet, EXIT, CLOSE, in one write. After
// CLOSE nothing more is sent.
func TestEnd(t *testing.T) {
	for name, first := range map[string]func(*Channel){
		"both streams open": func(*Channel) {},
		"STDERR has ended":  func(c *Channel) { c.EOF(protocol.TypeStderr) },
	} {
		bubble(t, func(t *testing.T) {
			code, goOn, over := 3, make(chan bool), make(chan error, 2)
			s := New(Config{Role: Daemon, Accept: func(c *Channel) {
				c.Send(protocol.TypeOpened, &protocol.Opened{PID: 1})
				first(c)
				<-goOn
				over <- c.End(&protocol.Exit{How: "exited", Code: &code})
				over <- c.End(&protocol.Exit{How: "exited", Code: &code})
			}})
			near, far := pipe()
			var writes atomic.Int32
			go func() {
				s.Accept(counted{far, &writes}, helloOf(nil), &protocol.Welcome{})
				far.Close()
			}()
			p := play(t, near)
			p.want(protocol.TypeWelcome, 0, "", "HELLO was accepted")
			p.send(open(1))
			p.want(protocol.TypeOpened, 1, "", "the channel was accepted")
			if name != "both streams open" {
				p.want(protocol.TypeEOF, 1, "STDERR", "it has ended")
			}
			synctest.Wait()
			before := writes.Load()
			close(goOn)
			p.want(protocol.TypeEOF, 1, "STDOUT", name)
			if name == "both streams open" {
				p.want(protocol.TypeEOF, 1, "STDERR", name)
			}
			p.want(protocol.TypeExit, 1, `"code":3`, name)
			p.want(protocol.TypeClose, 1, "{}", name)
			if err := <-over; err != nil {
				t.Error(err)
			}
			if err := <-over; !errors.Is(err, ErrChannelClosed) {
				t.Error("a second end:", err)
			}
			if n := writes.Load() - before; n != 1 {
				t.Errorf("%s: %d writes", name, n)
			}
			p.send(shut(1), msg(protocol.TypeGoodbye, 0, "{}"))
			p.wantEnd("GOODBYE was said")
			s.Wait()
		})
	}
}

// STDOUT, STDERR, EOF, EXIT and CLOSE come out of Next in the order of sending, however many there
// are.
func TestOpenerOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Client})
		c, err := s.Open(&protocol.Open{Service: "test"})
		must(t, err)
		p, _, connected := asClient(t, s)
		p.want(protocol.TypeOpen, 1, "", "")
		p.send(welcome(0, 0), msg(protocol.TypeOpened, 1, `{"pid":7}`))
		must(t, <-connected)
		if e := <-c.Requests(); e.Message.(*protocol.Opened).PID != 7 {
			t.Fatal(e)
		}
		var want []string
		for i := range 1000 { // single bytes, both types in turn: a run for each
			kind := protocol.TypeStdout + protocol.Type(i%2)
			p.send(msg(kind, 1, string(rune('a'+i%26))))
			want = append(want, kind.String()+string(rune('a'+i%26)))
		}
		p.send(ended(protocol.TypeStderr, 1), msg(protocol.TypeStdout, 1, "last"),
			ended(protocol.TypeStdout, 1),
			msg(protocol.TypeExit, 1, `{"how":"exited","code":3}`), shut(1))
		synctest.Wait()
		buf := make([]byte, 100)
		for i := range want {
			e, err := c.Next(buf)
			if got := e.Type.String() + string(buf[:e.N]); err != nil || got != want[i] {
				t.Fatalf("%d: %s, %v, want %s", i, got, err, want[i])
			}
		}
		if e := next(t, c, protocol.TypeStderr); !e.EOF {
			t.Fatal(e)
		}
		next(t, c, protocol.TypeStdout)
		if e := next(t, c, protocol.TypeStdout); !e.EOF {
			t.Fatal(e)
		}
		if e := next(t, c, protocol.TypeExit); *e.Message.(*protocol.Exit).Code != 3 {
			t.Fatal(e)
		}
		next(t, c, protocol.TypeClose)
		// What happens to the session now does not concern the channel: a reader that was slow
		// still gets the same end.
		p.send(msg(protocol.TypeGoodbye, 0, `{"code":"shutting_down"}`))
		<-s.Done()
		if _, err := c.Next(buf); err != io.EOF {
			t.Fatalf("after CLOSE: %v", err)
		}
		if codeOf(s.Err()) != protocol.CodeShuttingDown {
			t.Fatal(s.Err())
		}
		p.conn.Close()
	})
}

// Data that arrived before a session's end still comes, then the end.
func TestDataBeforeEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var c *Channel
		s := New(Config{Role: Daemon, Accept: func(ch *Channel) { c = ch }})
		p, accepted := asDaemon(t, s, helloOf(nil))
		p.send(open(1), msg(protocol.TypeStdin, 1, "left"))
		synctest.Wait()
		p.conn.Close()
		<-accepted
		if e := next(t, c, protocol.TypeStdin); e.N != 4 {
			t.Fatal(e)
		}
		var lost *LinkLost
		if _, err := c.Next(nil); !errors.As(err, &lost) {
			t.Fatal(err)
		}
		if _, err := c.Write(protocol.TypeStdout, []byte("x")); !errors.As(err, &lost) ||
			!c.SessionEnded() {
			t.Fatal(err)
		}
	})
}

// Writes that wait for credit end when the channel closes, at either end, and when the session
// ends.
func TestWriteEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(p *script, s *Session, c *Channel)
		want error
	}{
		"our CLOSE": {func(p *script, _ *Session, c *Channel) { c.Close(nil) }, ErrChannelClosed},
		"their CLOSE": {func(p *script, _ *Session, _ *Channel) { p.send(shut(1)) },
			ErrChannelClosed},
		"GOODBYE": {
			func(p *script, _ *Session, _ *Channel) { p.send(msg(protocol.TypeGoodbye, 0, "{}")) },
			ErrGoodbye},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				made := make(chan *Channel, 1)
				s := New(Config{Role: Daemon, Accept: func(c *Channel) { made <- c }})
				p, _ := asDaemon(t, s, helloOf(nil))
				p.send(open(1))
				ch := <-made
				written := make(chan int, 1)
				go func() {
					n, err := ch.Write(protocol.TypeStdout, make([]byte, 1<<20))
					if !errors.Is(err, c.want) {
						t.Errorf("Write: %v, want %v", err, c.want)
					}
					written <- n
				}()
				for got := 0; got < protocol.InitialWindow; {
					f := p.want(protocol.TypeStdout, 1, "", "there is credit")
					got += int(f.Length)
					blocked := f.Flags&protocol.FlagBlocked != 0
					if blocked != (got == protocol.InitialWindow) {
						t.Errorf("BLOCKED is %v after %d bytes (CH6)", blocked, got)
					}
				}
				p.wantSilence(time.Second, "the credit is used up (CH5)")
				c.end(p, s, ch)
				if n := <-written; n != protocol.InitialWindow {
					t.Errorf("Write says %d bytes", n)
				}
				p.conn.Close()
				<-s.Done()
			})
		})
	}
}

// After its own CLOSE an end discards data and requests, but still notes EXIT and CLOSE (CH8).
func TestAfterOwnClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Client})
		c, _ := s.Open(&protocol.Open{Service: "test"})
		p, _, connected := asClient(t, s)
		p.want(protocol.TypeOpen, 1, "", "")
		p.send(welcome(0, 0), msg(protocol.TypeOpened, 1, `{"pid":7}`))
		must(t, <-connected)
		must(t, c.Close(&protocol.Reason{Code: protocol.CodeCancelled}))
		must(t, c.Close(nil)) // idempotent
		p.want(protocol.TypeClose, 1, "cancelled", "the opener does not want it any more (CH9)")
		for range 100 {
			p.send(msg(protocol.TypeNotice, 1, `{"notice":"output_held"}`))
		}
		p.send(data(protocol.TypeStdout, 1, protocol.InitialWindow), ended(protocol.TypeStdout, 1),
			ended(protocol.TypeStderr, 1),
			msg(protocol.TypeExit, 1, `{"how":"cancelled"}`))
		synctest.Wait()
		if c.inbox.data != 0 {
			t.Errorf("%d bytes were kept for nobody", c.inbox.data)
		}
		next(t, c, protocol.TypeStdout)
		next(t, c, protocol.TypeStderr)
		next(t, c, protocol.TypeExit)
		p.send(shut(1))
		next(t, c, protocol.TypeClose)
		if _, err := c.Next(nil); err != io.EOF {
			t.Error(err)
		}
		if err := c.Send(protocol.TypeSignal,
			&protocol.Signal{Signal: "INT"}); err != ErrChannelClosed {
			t.Error(err)
		}
		p.wantSilence(time.Second, "nothing follows one's own CLOSE (CH4), no WINDOW either")
		if len(s.channels) != 0 || s.ourOpen != 0 {
			t.Error("both ends have closed it, and it is still known")
		}
		s.Close(nil)
		p.conn.Close()
	})
}

// EOF does not overtake data, NOTICE does not follow EXIT, and a second EOF does nothing.
func TestOwnOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 1)
		s := New(Config{Role: Daemon, Accept: func(c *Channel) { made <- c }})
		p, _ := asDaemon(t, s, helloOf(nil))
		p.send(open(1))
		c := <-made
		must(t, c.Send(protocol.TypeOpened, &protocol.Opened{PID: 1}))
		go c.Write(protocol.TypeStdout, make([]byte, protocol.InitialWindow+1))
		synctest.Wait()
		if c.EOF(protocol.TypeStdout) == nil {
			t.Error("EOF was taken while a Write waits for credit")
		}
		if _, err := c.Write(protocol.TypeStdout, []byte("x")); err == nil {
			t.Error("a second Write of the same type was taken")
		}
		must(t, c.EOF(protocol.TypeStderr))
		must(t, c.EOF(protocol.TypeStderr))
		if _, err := c.Write(protocol.TypeStderr, []byte("x")); err == nil {
			t.Error("data after EOF was taken")
		}
		p.send(num(protocol.TypeWindow, 1, protocol.InitialWindow+1))
		synctest.Wait()
		must(t, c.EOF(protocol.TypeStdout))
		must(t, c.Send(protocol.TypeExit, &protocol.Exit{How: protocol.HowExited}))
		must(t, c.Send(protocol.TypeNotice, &protocol.Notice{Notice: protocol.NoticeSignalRefused}))
		must(t, c.Close(nil))
		p.want(protocol.TypeOpened, 1, "", "")
		seen := ""
		for {
			f, err := p.r.Next()
			must(t, err)
			if !f.Type.IsData() {
				seen += protocol.Describe(f, 0)[:7]
			}
			if f.Type == protocol.TypeClose {
				break
			}
		}
		if seen != "EOF    EOF    EXIT   CLOSE  " {
			t.Error(seen)
		}
		s.Close(nil)
		p.conn.Close()
	})
}

// Channels that have data are served in turn: a large Write of one does not delay the others by
// more than a frame each.
func TestFairness(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 3)
		s := New(Config{Role: Daemon, Accept: func(c *Channel) { made <- c }})
		near, far := pipe()
		far.out.room = 1000 // the writer stops at once, so that all have data when it continues
		go s.Accept(far, helloOf(nil), &protocol.Welcome{})
		p := play(t, near)
		p.want(protocol.TypeWelcome, 0, "", "")
		p.send(open(1), open(3), open(5))
		for id := uint32(1); id <= 5; id += 2 {
			p.send(protocol.AppendNumber(nil, protocol.TypeWindow, id, 16*protocol.MaxPayload))
		}
		for range 3 {
			c := <-made
			go c.Write(protocol.TypeStdout, make([]byte, 12*protocol.MaxPayload))
			if c.ID() == 1 {
				go c.Write(protocol.TypeStderr, make([]byte, 100))
			}
		}
		synctest.Wait()
		var order []byte
		for range 12 {
			f, err := p.r.Next()
			must(t, err)
			order = append(order, byte('0'+f.Channel), byte(f.Type))
		}
		// What was being written before all three had data, a batch of four frames, does not count;
		// then each comes once in three.
		for i := 5; i+3 <= 11; i += 3 {
			for _, id := range "135" {
				if !bytes.ContainsRune([]byte{order[2*i], order[2*i+2], order[2*i+4]}, id) {
					t.Errorf("channel %c waits: %q", id, order)
				}
			}
		}
		if !bytes.Contains(order, []byte{'1', byte(protocol.TypeStderr)}) {
			t.Errorf("STDERR waits for STDOUT: %q", order)
		}
		s.Close(nil)
		near.Close()
	})
}

// A client relies on what the daemon allows (CH2): 16 before WELCOME, then what it says; a closed
// channel makes room.
func TestOpenLimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Client})
		var first *Channel
		for i := range protocol.MinChannels {
			c, err := s.Open(&protocol.Open{Service: "test"})
			must(t, err)
			if i == 0 {
				first = c
			}
		}
		if _, err := s.Open(&protocol.Open{}); codeOf(err) != protocol.CodeTooManyChannels {
			t.Fatal(err)
		}
		p, _, connected := asClient(t, s)
		for i := range uint32(protocol.MinChannels) {
			p.want(protocol.TypeOpen, 2*i+1, "",
				"a client's channels are odd and count upwards (CH1)")
		}
		b, _ := protocol.AppendMessage(nil, protocol.TypeWelcome, 0,
			&protocol.Welcome{Channels: 17})
		p.send(b)
		must(t, <-connected)
		_, err := s.Open(&protocol.Open{Service: "test"})
		must(t, err)
		if _, err := s.Open(&protocol.Open{}); codeOf(err) != protocol.CodeTooManyChannels {
			t.Fatal(err)
		}
		p.send(shut(1))
		synctest.Wait()
		if _, err := s.Open(&protocol.Open{}); codeOf(err) != protocol.CodeTooManyChannels {
			t.Fatal("a channel is open until CLOSE has gone both ways: ", err)
		}
		waited := make(chan error, 1)
		wait := func() {
			_, err := s.OpenWaiting(&protocol.Open{Service: "test"})
			waited <- err
		}
		go wait()
		synctest.Wait()
		if len(waited) > 0 {
			t.Fatal("OpenWaiting did not wait: ", <-waited)
		}
		first.Close(nil)
		must(t, <-waited)
		go wait()
		synctest.Wait()
		s.Close(nil)
		if err := <-waited; err != ErrGoodbye {
			t.Error(err)
		}
		p.conn.Close()
	})
}

// A Write that comes while another goroutine writes is not forgotten when that one is done, even if
// nothing else happens on the link.
func TestNobodyIsForgotten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 2)
		s, p, _ := deaf(t, Config{Accept: func(c *Channel) { made <- c }})
		p.send(open(1), open(3))
		first, second := <-made, <-made
		go first.Write(protocol.TypeStdout, make([]byte, 5000))
		synctest.Wait() // stuck: 1,000 bytes fit
		go second.Write(protocol.TypeStdout, []byte("x"))
		synctest.Wait()
		began := time.Now()
		p.want(protocol.TypeStdout, first.ID(), "", "it was first")
		p.want(protocol.TypeStdout, second.ID(), "", "it waited for the first")
		if d := time.Since(began); d != 0 {
			t.Errorf("it took %v", d)
		}
		p.conn.Close()
		s.Wait()
	})
}

// What Take lends stays as it is until the next call, whatever arrives meanwhile, and however the
// inbox holds it.
func TestTakeLends(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 1)
		s := New(Config{Role: Daemon, Accept: func(c *Channel) { made <- c }})
		p, _ := asDaemon(t, s, helloOf(nil))
		const large = 60000
		p.send(open(1), msg(protocol.TypeStdin, 1, "one"),
			msg(protocol.TypeStdin, 1, strings.Repeat("a", large)),
			msg(protocol.TypeStdin, 1, "two"), ended(protocol.TypeStdin, 1))
		c := <-made
		synctest.Wait()
		e, err := c.Take()
		must(t, err)
		p.send(open(3), msg(protocol.TypeStdin, 3, strings.Repeat("b", large)))
		synctest.Wait()
		if string(e.Data) != "one" {
			t.Fatalf("%q was lent", e.Data)
		}
		e, err = c.Take()
		must(t, err)
		p.send(msg(protocol.TypeStdin, 3, strings.Repeat("c", large)))
		synctest.Wait()
		if string(e.Data) != strings.Repeat("a", large) {
			t.Fatalf("%d bytes were lent, and then %.10q…", len(e.Data), e.Data)
		}
		small := make([]byte, 2)
		for _, want := range []string{"tw", "o"} {
			if e, err := c.Next(small); err != nil || string(small[:e.N]) != want || e.Data != nil {
				t.Fatalf("%q, %v instead of %q", small[:e.N], err, want)
			}
		}
		if e, err := c.Take(); err != nil || !e.EOF {
			t.Fatal(e, err)
		}
		s.Close(nil)
	})
}
