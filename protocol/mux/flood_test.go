package mux

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
)

// deaf starts a daemon's session for a peer that reads nothing after WELCOME: 1,000 bytes fit on
// the way.
func deaf(t *testing.T, cfg Config) (*Session, *script, <-chan error) {
	t.Helper()
	cfg.Role = Daemon
	s := New(cfg)
	near, far := pipe()
	far.out.room = 1000
	accepted := make(chan error, 1)
	go func() { accepted <- s.Accept(far, helloOf(nil), &protocol.Welcome{}) }()
	p := play(t, near)
	p.want(protocol.TypeWelcome, 0, "", "")
	return s, p, accepted
}

// waiting is what a session has queued for its writer.
func waiting(s *Session) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.control.len() + s.grants.len() + s.ready.len()
}

// A peer that opens channels, has them refused, closes them, and reads nothing cannot make us queue
// refusals without limit: a channel is closed when CLOSE has really gone (CH2).
func TestOpenFlood(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, p, accepted := deaf(t, Config{Accept: func(c *Channel) {
			c.Close(&protocol.Reason{Code: protocol.CodeUnknownService, Message: "no"})
		}})
		most := 0
		for i := range uint32(1000) {
			if _, err := p.conn.Write(open(2*i + 1)); err != nil {
				break
			}
			synctest.Wait() // it is refused
			p.conn.Write(shut(2*i + 1))
			synctest.Wait()
			most = max(most, waiting(s))
		}
		if err := <-accepted; codeOf(err) != protocol.CodeTooManyChannels {
			t.Error(err)
		}
		if most > 2*protocol.MinChannels {
			t.Errorf("%d frames were queued", most)
		}
		s.Wait()
		p.conn.Close()
	})
}

// A well-behaved peer may open, use and close any number of channels, one after the other.
func TestManyChannels(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Daemon, Accept: func(c *Channel) { c.Close(nil) }})
		p, _ := asDaemon(t, s, helloOf(nil))
		for i := range uint32(1000) {
			p.send(open(2*i + 1))
			p.want(protocol.TypeClose, 2*i+1, "", "it is refused")
			p.send(shut(2*i + 1))
		}
		synctest.Wait()
		if len(s.channels) != 0 || s.peerOpen != 0 {
			t.Errorf("%d channels are left", len(s.channels))
		}
		s.Close(nil)
		p.conn.Close()
	})
}

// An application answers each SIGNAL with a NOTICE, and the peer reads none of them. One NOTICE
// waits to be sent, and of the SIGNALs one of each name, 16 at most, waits for the application
// (CH10). Nothing grows, and nobody breaks a rule.
func TestSignalFlood(t *testing.T) {
	for name, signal := range map[string]func(int) string{
		"equal ones":     func(int) string { return "NONE" },
		"different ones": func(i int) string { return fmt.Sprintf("N%d", i) },
	} {
		for _, looks := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, the application looks: %v", name, looks), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					var ch *Channel
					s, p, _ := deaf(t, Config{Accept: func(c *Channel) {
						ch = c
						c.Send(protocol.TypeOpened, &protocol.Opened{})
						for looks {
							select {
							case <-c.Requests():
								must(t,
									c.Send(protocol.TypeNotice,
										&protocol.Notice{Notice: protocol.NoticeSignalRefused,
											Message: "no such signal"}))
							case <-c.Gone():
								looks = false
							}
						}
						<-c.Gone()
						c.Close(nil)
					}})
					p.send(open(1))
					most, requests := 0, 0
					for i := range 10000 {
						p.send(msg(protocol.TypeSignal, 1, `{"signal":"`+signal(i)+`"}`))
						synctest.Wait()
						most, requests = max(most, waiting(s)), max(requests, len(ch.requests))
					}
					if most > 1 {
						t.Errorf("%d frames were queued", most)
					}
					want := 16
					switch {
					case looks:
						want = 0
					case name == "equal ones":
						want = 1
					}
					if requests != want || len(ch.waiting) > 17 {
						t.Errorf("%d SIGNALs waited for the application, %d names are kept; %d "+
							"were to wait", requests, len(ch.waiting), want)
					}
					p.send(msg(protocol.TypeGoodbye, 0, "{}"))
					s.Wait()
					p.conn.Close()
				})
			})
		}
	}
}

// What an application has taken no longer counts among what waits: the same name may come again.
func TestSignalsComeAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 1)
		s, p, _ := deaf(t, Config{Accept: func(c *Channel) { made <- c; <-c.Gone() }})
		p.send(open(1))
		c := <-made
		signal := func(names ...string) {
			for _, name := range names {
				p.send(msg(protocol.TypeSignal, 1, `{"signal":"`+name+`"}`))
			}
			synctest.Wait()
		}
		want := func(names ...string) {
			t.Helper()
			for _, name := range names {
				if e := <-c.Requests(); e.Message.(*protocol.Signal).Signal != name {
					t.Errorf("%+v instead of %s", e.Message, name)
				}
			}
		}
		signal("INT", "TERM", "INT", "INT")
		want("INT")
		signal("INT", "TERM")
		want("TERM", "INT")
		if len(c.requests) != 0 {
			t.Errorf("%d more wait", len(c.requests))
		}
		signal("KILL", "KILL")
		want("KILL")
		signal("KILL")
		want("KILL")
		c.IgnoreRequests()
		signal("HUP")
		p.send(msg(protocol.TypeResize, 1, `{"rows":5}`))
		synctest.Wait()
		if len(c.requests) != 0 || len(c.resizes) != 0 {
			t.Error("what is not wanted waits")
		}
		s.Close(nil)
	})
}

// A peer that opens channels with large requests is stopped at 1,048,576 bytes of them, counted
// while the channel is open (CH2), and we keep to that ourselves. Sixteen of the largest fit.
func TestOpensAreCounted(t *testing.T) {
	large := func(channel uint32, n int) []byte {
		const around = len(`{"service":"test","command":""}`)
		return msg(protocol.TypeOpen, channel, `{"service":"test","command":"`+strings.Repeat("x",
			n-around)+`"}`)
	}
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Daemon, Channels: 64, Accept: func(c *Channel) {
			<-c.Gone()
			c.Close(nil)
		}})
		p, accepted := asDaemon(t, s, helloOf(nil))
		for i := range uint32(16) {
			p.send(large(2*i+1, 65536))
		}
		for i := range uint32(100) { // one goes, one comes
			p.send(shut(2*i + 1))
			p.want(protocol.TypeClose, 2*i+1, "", "")
			p.send(large(2*i+33, 65536))
		}
		synctest.Wait()
		if s.peerOpens != 1048576 {
			t.Errorf("%d bytes are counted", s.peerOpens)
		}
		p.send(open(1001))
		if err := <-accepted; codeOf(err) != "too_many_channels" {
			t.Error(err)
		}
		p.conn.Close()
		s.Wait()
	})
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Client})
		p, _, connected := asClient(t, s)
		p.send(welcome(0, 0))
		must(t, <-connected)
		go io.Copy(io.Discard, p.conn)
		request := &protocol.Open{
			Service: "test", Command: protocol.Bytes(strings.Repeat("x", 65000))}
		var all []*Channel
		for {
			c, err := s.Open(request)
			if err != nil {
				if codeOf(err) != "too_many_channels" {
					t.Error(err)
				}
				break
			}
			all = append(all, c)
		}
		if len(all) != 16 {
			t.Errorf("%d were opened", len(all))
		}
		all[0].Close(nil)
		p.send(shut(1))
		synctest.Wait()
		_, err := s.Open(request)
		must(t, err)
		s.Close(nil)
	})
}

// When a peer never closes its channels, and their applications have gone, we hold none of their
// data.
func TestAbandonedChannels(t *testing.T) {
	bubble(t, func(t *testing.T) {
		all := make(chan *Channel, 16)
		s := New(Config{Role: Daemon, Accept: func(c *Channel) {
			all <- c
			c.Next(make([]byte, 1))
			c.Close(nil)
		}})
		p, _ := asDaemon(t, s, helloOf(nil))
		go io.Copy(io.Discard, p.conn)
		for i := range uint32(16) {
			p.send(open(2*i+1), data(protocol.TypeStdin, 2*i+1, 262144))
		}
		synctest.Wait()
		if len(all) != 16 {
			t.Errorf("%d channels were opened", len(all))
		}
		for range len(all) {
			c := <-all
			if c.inbox.data != 0 || c.inbox.blocks.len() != 0 || c.open.Service != "" {
				t.Errorf("channel %d holds %d bytes in %d blocks", c.id, c.inbox.data,
					c.inbox.blocks.len())
			}
		}
		s.Close(nil)
	})
}

// A flood of PINGs from a peer that reads nothing becomes one PONG that waits (SE6).
func TestPingFlood(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, p, _ := deaf(t, Config{Accept: ignore})
		for i := range uint64(100000) {
			p.send(num(protocol.TypePing, 0, i))
		}
		synctest.Wait()
		if n := waiting(s); n != 0 {
			t.Errorf("%d frames wait", n)
		}
		var last uint64
		for range 1000/20 + 3 {
			p.conn.SetReadDeadline(time.Now().Add(time.Second))
			f, err := p.r.Next()
			if err != nil {
				break
			}
			last = f.Number()
		}
		if last != 99999 {
			t.Errorf("the last PONG is %d", last)
		}
		p.conn.Close()
		s.Wait()
	})
}

// A client that never reads its output costs its window and no more; it does not delay another
// channel of the session while the link flows.
func TestSlowConsumer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, d := couple(t, time.Millisecond, Config{}, Config{}, source(8<<20))
		slow, err := c.Open(&protocol.Open{Service: "test"})
		must(t, err)
		<-time.After(time.Second)
		c.mu.Lock()
		if slow.inbox.data != protocol.InitialWindow ||
			slow.inbox.blocks.len() > protocol.InitialWindow/adoptSize {
			t.Errorf("%d bytes in %d blocks wait for a reader that does not come", slow.inbox.data,
				slow.inbox.blocks.len())
		}
		c.mu.Unlock()
		quick, err := c.Open(&protocol.Open{Service: "test"})
		must(t, err)
		if took := drain(t, quick, 0, 1<<20); took > time.Second {
			t.Errorf("the neighbour took %v", took)
		}
		c.Close(nil)
		d.Wait()
	})
}

// Sessions that share a budget, which is a user's, read their requests of more than 4,096 bytes one
// at a time; small ones wait for nobody.
func TestLargeRequestsTakeTurns(t *testing.T) {
	budget, accepted := NewBudget(1), make(chan uint32, 2)
	begin := func(first []byte) *script {
		s := New(Config{Role: Daemon, Budget: budget, Accept: func(c *Channel) {
			accepted <- c.ID()
			c.Close(nil)
		}})
		p, _ := asDaemon(t, s, helloOf(nil))
		t.Cleanup(func() { p.conn.Close(); s.Close(nil) })
		p.send(first)
		return p
	}
	sized := func(channel uint32, size int) []byte {
		const empty = `{"service":"test","command":""}`
		return msg(protocol.TypeOpen, channel,
			strings.Replace(empty, `""`, `"`+strings.Repeat("x", size-len(empty))+`"`, 1))
	}
	end := budget.largeTurn()
	begin(sized(1, 4097))
	begin(sized(3, 4096))
	if id := <-accepted; id != 3 {
		t.Errorf("channel %d is accepted while another large request is read", id)
	}
	end()
	if id := <-accepted; id != 1 {
		t.Errorf("channel %d", id)
	}
}
