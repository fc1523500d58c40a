package mux

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
	"minissh/protocol/vectors"
)

// TestResumingVectors: each conversation of vectors/resuming.txt continues over a second link as it
// says.
func TestResumingVectors(t *testing.T) {
	for _, v := range vectors.Read("resuming.txt") {
		t.Run(v.Name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				if v.Text("role") == "daemon" {
					resumeDaemon(t, v)
				} else {
					resumeClient(t, v)
				}
			})
		})
	}
}

// number is a vector's decimal number, or another if the vector has none.
func number(v vectors.Vector, key string, otherwise int64) int64 {
	if !v.Has(key) {
		return otherwise
	}
	return int64(v.Number(key, 10))
}

// ends answers OPEN with OPENED, EOF of STDOUT and EOF of STDERR.
func ends(c *Channel) {
	c.Send(protocol.TypeOpened, &protocol.Opened{PID: 1})
	c.EOF(protocol.TypeStdout)
	c.EOF(protocol.TypeStderr)
	<-c.Gone()
}

// joined serves a link as a daemon does: if a HELLO is refused, the reason goes out as an ERROR.
func joined(t *testing.T, r *Registry, s *Session, hello *protocol.Hello) (*script, <-chan error) {
	near, far := pipe()
	accepted := make(chan error, 1)
	go func() {
		defer far.Close()
		found, err := r.Attach("key", hello, func() (*Session, error) { return s, nil })
		if err == nil {
			err = found.Accept(far, hello, &protocol.Welcome{})
		}
		if code := codeOf(err); code == protocol.CodeStaleEpoch ||
			code == protocol.CodeSessionExpired || code == protocol.CodeSessionEnded ||
			code == protocol.CodeSessionUnknown {
			text, _ := protocol.AppendMessage(nil, protocol.TypeError, 0,
				&protocol.Reason{Code: code})
			far.Write(text)
		}
		accepted <- err
	}()
	return play(t, near), accepted
}

func resumeDaemon(t *testing.T, v vectors.Vector) {
	resend := number(v, "resend", 0)
	s := New(Config{Role: Daemon, Accept: ends, Resend: resend, Hold: time.Minute})
	defer s.Close(nil)
	r := NewRegistry(2)
	hello := helloOf(func(h *protocol.Hello) { h.Epoch, h.Resend, h.Hold = 3, resend, 60 })
	first, accepted := joined(t, r, s, hello)
	first.want(protocol.TypeWelcome, 0, fmt.Sprintf(`"resend":%d`, resend), "HELLO was accepted")
	first.send(open(1))
	first.want(protocol.TypeOpened, 1, "", "the application answers")
	first.want(protocol.TypeEOF, 1, "STDOUT", "")
	first.want(protocol.TypeEOF, 1, "STDERR", "")
	if v.Has("ack") {
		first.send(num(protocol.TypeAck, 0, v.Number("ack", 10)))
		synctest.Wait()
	}
	switch v.Text("first") {
	case "lost":
		first.conn.Close()
		<-accepted
	case "goodbye":
		first.send(msg(protocol.TypeGoodbye, 0, "{}"))
		<-accepted
	}

	second, _ := joined(t, r, s, helloOf(func(h *protocol.Hello) {
		h.Epoch, h.Create, h.Hold = number(v, "epoch", 0), false, 60
		h.Received, h.Resend = number(v, "received", 0), number(v, "later", resend)
		if v.Has("session") {
			h.Session = v.Text("session")
		}
	}))
	if v.Has("error") {
		second.want(protocol.TypeError, 0, v.Text("error"), "the session cannot be had")
		second.wantEnd("ERROR is the last frame (FR7)")
	} else {
		second.want(protocol.TypeWelcome, 0, fmt.Sprintf(`"received":%d`, v.Number("answer", 10)),
			"the session is found")
		wantAgain(v, second)
	}
	switch v.Text("lives") {
	case "yes":
		lives(t, first, s)
	case "no":
		first.wantEnd("a newer link took its place")
	}
	s.Close(nil)
	second.conn.Close()
	first.conn.Close()
}

// lives wants a link and its session to be as they were.
func lives(t *testing.T, p *script, s *Session) {
	t.Helper()
	p.send(num(protocol.TypePing, 0, 7))
	for {
		f, err := p.r.Next()
		if err != nil {
			t.Fatalf("the link that was there has ended: %v", err)
		}
		if f.Type == protocol.TypePong {
			break
		}
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
}

func resumeClient(t *testing.T, v vectors.Vector) {
	resend := number(v, "resend", 0)
	s := New(Config{Role: Client, Resend: resend})
	defer s.Close(nil)
	c, err := s.Open(&protocol.Open{Service: "test"})
	must(t, err)
	must(t, c.EOF(protocol.TypeStdin))
	p, _, connected := asClient(t, s)
	p.want(protocol.TypeOpen, 1, "", "it may be sent at once (SE3)")
	p.want(protocol.TypeEOF, 1, "STDIN", "")
	p.send(welcome(0, resend))
	must(t, <-connected)
	p.conn.Close()
	synctest.Wait()
	p, hello, connected := asClient(t, s)
	if hello.Epoch != 2 || hello.Create {
		t.Errorf("%+v", hello)
	}
	p.send(welcome(number(v, "received", 0), resend))
	if v.Has("error") {
		p.want(protocol.TypeError, 0, v.Text("error"), "that cannot be")
		p.conn.Close()
		<-connected
		return
	}
	must(t, <-connected)
	wantAgain(v, p)
	s.Close(nil)
	p.conn.Close()
}

// wantAgain wants the session frames that the vector names, and nothing else.
func wantAgain(v vectors.Vector, p *script) {
	p.t.Helper()
	for _, line := range v.Lines("again") {
		f, err := p.r.Next()
		if err != nil {
			p.t.Fatalf("% x was to be sent again: %v", line, err)
		}
		if got := protocol.AppendFrame(nil, f.Type, f.Flags, f.Channel,
			f.Payload); string(got) != string(line) {
			p.t.Fatalf("% x was sent again, not % x", got, line)
		}
	}
	p.wantSilence(500*time.Millisecond, "nothing else is due")
}

// resend, hold and channels may differ on each link: the newest HELLO counts (RE2).
func TestNewestHelloCounts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := keeping(ignore)
		p, accepted := asDaemon(t, s, resuming(1, 0))
		p.conn.Close()
		<-accepted
		near, far := pipe()
		granted := &protocol.Welcome{}
		hello := resuming(2, 0)
		hello.Hold, hello.Channels, hello.Resend = 5, 1, 0
		go accepted3(s, far, hello, granted)
		q := play(t, near)
		q.want(protocol.TypeWelcome, 0, `"hold":5`, "less is asked for")
		if _, err := s.Open(&protocol.Open{Service: "test"}); err != nil {
			t.Error("one channel is allowed now: ", err)
		}
		q.want(protocol.TypeOpen, 2, "", "")
		if _, err := s.Open(&protocol.Open{Service: "test"}); codeOf(
			err) != protocol.CodeTooManyChannels {
			t.Error("a second one is not: ", err)
		}
		q.send(open(1))
		q.wantSilence(time.Second, "a client that keeps nothing any more wants no ACK")
		q.conn.Close()
		<-s.Done()
		var lost *LinkLost
		if err := s.Err(); !errors.As(err, &lost) {
			t.Errorf("a link that nothing follows was lost, but: %v", err)
		}
	})
}

func accepted3(s *Session, far *end, hello *protocol.Hello, welcome *protocol.Welcome) {
	s.Accept(far, hello, welcome)
	far.Close()
}
