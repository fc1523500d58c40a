package mux

import (
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
)

// deaf starts a daemon's session for a peer that reads nothing after WELCOME: what is written to it fits into 1,000 bytes.
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

// A peer that opens channels, has them refused, closes them, and reads nothing cannot make us queue refusals without end: a channel is
// closed when CLOSE has really gone (P5.2).
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

// An application that answers each SIGNAL with a NOTICE, and a peer that reads none of them: Send waits, SIGNALs wait for the application, and
// then they are too many (P5.10). Nothing grows without end.
func TestSignalFlood(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, p, accepted := deaf(t, Config{Accept: func(c *Channel) {
			c.Send(protocol.TypeOpened, &protocol.Opened{})
			for {
				select {
				case <-c.Requests():
					c.Send(protocol.TypeNotice, &protocol.Notice{Notice: protocol.NoticeSignalRefused, Message: "no such signal"})
				case <-c.Gone():
					c.Close(nil)
					return
				}
			}
		}})
		p.send(open(1))
		most := 0
		for range 10000 {
			if _, err := p.conn.Write(msg(protocol.TypeSignal, 1, `{"signal":"NONE"}`)); err != nil {
				break
			}
			synctest.Wait()
			most = max(most, waiting(s))
		}
		if err := <-accepted; codeOf(err) != protocol.CodeTooManyRequests {
			t.Error(err)
		}
		if most > 2*protocol.MaxRequests {
			t.Errorf("%d frames were queued", most)
		}
		s.Wait()
		p.conn.Close()
	})
}

// A Send that waits ends when the peer is not interested any more, and goes on when the peer reads.
func TestSendWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 1)
		s, p, _ := deaf(t, Config{Accept: func(c *Channel) { made <- c }})
		p.send(open(1), open(3))
		for range 2 {
			c := <-made
			must(t, c.Send(protocol.TypeOpened, &protocol.Opened{}))
			sent := make(chan error)
			count := 0
			go func() {
				var err error
				for ; err == nil && count < 500; count++ {
					err = c.Send(protocol.TypeNotice, &protocol.Notice{Notice: protocol.NoticeSignalRefused, Message: "a rather long message, so that few fit"})
				}
				sent <- err
			}()
			synctest.Wait()
			if count > 4*protocol.MaxRequests { // a batch is under way beside those that wait
				t.Errorf("%d were taken", count)
			}
			if c.ID() == 1 {
				p.send(shut(1))
				if err := <-sent; err != ErrChannelClosed {
					t.Errorf("after the peer's CLOSE: %v", err)
				}
				must(t, c.Send(protocol.TypeExit, &protocol.Exit{How: protocol.HowCancelled})) // this may still be said
				must(t, c.Close(nil))
				continue
			}
			for notices := 0; notices < 500; {
				f, err := p.r.Next()
				must(t, err)
				if f.Type == protocol.TypeNotice && f.Channel == 3 {
					notices++
				}
			}
			must(t, <-sent)
		}
		go s.Close(nil)
		for {
			if _, err := p.r.Next(); err != nil {
				break
			}
		}
		p.conn.Close()
		s.Wait()
	})
}

// A flood of PINGs to a peer that reads nothing is one PONG that waits (P7.11).
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

// A client that never reads its output costs its window and no more; another channel of the session is not delayed while the link flows.
func TestSlowConsumer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, d := couple(t, time.Millisecond, Config{}, Config{}, source(8<<20))
		slow, err := c.Open(&protocol.Open{Service: "test"})
		must(t, err)
		<-time.After(time.Second)
		c.mu.Lock()
		if slow.inbox.data != protocol.InitialWindow || slow.inbox.blocks.len() > protocol.InitialWindow/adoptSize {
			t.Errorf("%d bytes in %d blocks wait for a reader that does not come", slow.inbox.data, slow.inbox.blocks.len())
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
