package mux

import (
	"bytes"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
)

func TestAckTimes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := keeping(ignore)
		p, _ := asDaemon(t, s, resuming(1, 0))
		began := time.Now()
		p.send(open(1))
		p.want(protocol.TypeAck, 0, " 1", "20 ms passed")
		if d := time.Since(began); d != ackDelay {
			t.Errorf("after %v", d)
		}
		began = time.Now()
		p.send(data(protocol.TypeStdin, 1, protocol.MinResend/4))
		p.want(protocol.TypeAck, 0, " 2", "a quarter of the buffer came")
		if d := time.Since(began); d != 0 {
			t.Errorf("after %v", d)
		}
		p.send(num(protocol.TypePing, 0, 1))
		p.want(protocol.TypePong, 0, "", "")
		p.wantSilence(time.Second, "link frames are not counted and not acknowledged (FR5)")
		s.Close(nil)
		p.conn.Close()
	})
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Daemon, Accept: ignore})
		p, _ := asDaemon(t, s, helloOf(nil))
		p.send(open(1))
		p.wantSilence(time.Second, "a peer that keeps nothing wants no ACK")
		s.Close(nil)
		p.conn.Close()
	})
}

func TestBadAck(t *testing.T) {
	for name, acks := range map[string][]uint64{"too many": {3}, "shrinks": {2, 1}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				made := make(chan *Channel, 1)
				s := keeping(func(c *Channel) { made <- c })
				p, _ := asDaemon(t, s, resuming(1, 0))
				p.send(open(1))
				c := <-made
				c.Send(protocol.TypeOpened, &protocol.Opened{})
				c.EOF(protocol.TypeStdout)
				p.want(protocol.TypeOpened, 1, "", "")
				p.want(protocol.TypeEOF, 1, "", "")
				p.want(protocol.TypeAck, 0, "", "")
				for _, n := range acks {
					p.send(num(protocol.TypeAck, 0, n))
				}
				p.want(protocol.TypeError, 0, "bad_ack", name)
				p.conn.Close()
				s.Wait()
			})
		})
	}
}

func TestResendBuffer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 1)
		s := keeping(func(c *Channel) { made <- c })
		p, _ := asDaemon(t, s, resuming(1, 0))
		p.send(open(1), num(protocol.TypeWindow, 1, 1<<30))
		c := <-made
		go c.Write(protocol.TypeStdout, make([]byte, 1<<20))
		var frames, bytes uint64
		for bytes < protocol.MinResend {
			f, err := p.r.Next()
			must(t, err)
			if f.Type.IsData() {
				frames++
				bytes += uint64(f.Length) + protocol.HeaderSize
			}
		}
		synctest.Wait()
		if s.keptBytes != int64(bytes) || s.keptBytes > protocol.MinResend+protocol.MaxFrame {
			t.Errorf("%d bytes are kept of %d sent", s.keptBytes, bytes)
		}
		p.want(protocol.TypeAck, 0, "", "link frames do not wait")
		p.wantSilence(time.Second, "the buffer is full")
		p.send(num(protocol.TypePing, 0, 1))
		p.want(protocol.TypePong, 0, "", "nor does this one")
		p.send(num(protocol.TypeAck, 0, 1))
		p.want(protocol.TypeStdout, 1, "", "one frame was acknowledged")
		s.Close(nil)
		p.conn.Close()
	})
}

func TestAckTimerAcrossLinks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := keeping(ignore)
		p, accepted := asDaemon(t, s, resuming(1, 0))
		p.send(open(1))
		synctest.Wait()
		p.conn.Close()
		<-accepted
		q, _ := asDaemon(t, s, resuming(2, 0))
		q.wantSilence(time.Second, "WELCOME has told the count")
		q.send(open(3))
		q.want(protocol.TypeAck, 0, " 2", "")
		s.Close(nil)
		q.conn.Close()
	})
}

// A peer that acknowledges what is still being written to it sees none of another session's bytes:
// what is kept and what is written share memory.
func TestAckOfWhatIsBeingWritten(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // a sync.Pool gives back what was put in
	bubble(t, func(t *testing.T) {
		begin := func(fill string) *script {
			made := make(chan *Channel, 1)
			s := keeping(func(c *Channel) { made <- c })
			s.cfg.Resend = 1 << 20
			p, _ := asDaemon(t, s, resuming(1, 0))
			p.conn.in.room = 1000 // its Write waits for us to read
			p.send(open(1), num(protocol.TypeWindow, 1, 1<<30))
			go (<-made).Write(protocol.TypeStdout, bytes.Repeat([]byte(fill), 4*pieceSize))
			t.Cleanup(func() { p.conn.Close(); s.Close(nil) })
			return p
		}
		all := func(p *script, fill string) {
			t.Helper()
			for n := 0; n < 4*pieceSize; {
				f, err := p.r.Next()
				must(t, err)
				if f.Type.IsData() {
					n += int(f.Length)
					if bytes.Count(f.Payload, []byte(fill)) != int(f.Length) {
						t.Fatal("another session's bytes came")
					}
				}
			}
		}
		liar := begin("a")
		synctest.Wait()
		liar.send(num(protocol.TypeAck, 0, 4))
		synctest.Wait()
		for range 3 {
			all(begin("b"), "b")
		}
		all(liar, "a")
	})
}
