package mux

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
)

// noting is a connection with every ability that a link may use, and notes what it is asked.
type noting struct {
	answering
	patience bool // SetPatience works

	mu    sync.Mutex // guards the rest
	notes []string
	more  func() bool
}

var (
	_ Conn       = (*noting)(nil)
	_ HalfCloser = (*noting)(nil)
	_ Patient    = (*noting)(nil)
	_ Answering  = (*noting)(nil)
)

func (c *noting) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

// noted returns the notes, and starts new ones.
func (c *noting) noted() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.notes = nil }()
	return strings.Join(c.notes, ", ")
}

func (c *noting) SetPatience(stall time.Duration, more func() bool) bool {
	c.note("patience of %v, more: %v", stall, more != nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.more = more
	return c.patience
}

func (c *noting) SetWriteDeadline(t time.Time) error {
	c.note("deadline in %v", time.Until(t))
	return c.end.SetWriteDeadline(t)
}

func (c *noting) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		h, _ := protocol.ParseHeader(rest)
		c.note("%v", h.Type)
		rest = rest[protocol.HeaderSize+int(h.Length):]
	}
	return c.end.Write(p)
}

func (c *noting) CloseWrite() error {
	c.note("close write")
	return c.end.CloseWrite()
}

func (c *noting) Close() error {
	c.note("close")
	return c.end.Close()
}

// noteLink starts a session on a connection that notes, and plays its peer until both have said
// hello.
func noteLink(t *testing.T, cfg Config, patience bool) (*Session, *noting, *script) {
	t.Helper()
	s := New(cfg)
	near, far := pipe()
	conn := &noting{answering: answering{end: far}, patience: patience}
	conn.answers.Store(true)
	p := play(t, near)
	if cfg.Role == Daemon {
		go func() {
			s.Accept(conn, helloOf(nil), &protocol.Welcome{})
			conn.Close()
		}()
		p.want(protocol.TypeWelcome, 0, "", "HELLO was accepted")
	} else {
		connected := make(chan error, 1)
		go func() { _, err := s.Connect(conn, &protocol.Hello{}); connected <- err }()
		p.want(protocol.TypeHello, 0, "", "it is the first frame of a link")
		p.send(welcome(0, 0))
		must(t, <-connected)
	}
	synctest.Wait()
	return s, conn, p
}

// A link on a Patient connection lets it limit how long a write waits, 30 seconds at first and 2
// for its last words, and sets no deadline; any other gets a deadline before each write (SE6).
func TestPatientConn(t *testing.T) {
	for patience, want := range map[bool]struct{ begin, ping, end string }{
		true: {
			"patience of 30s, more: true, WELCOME",
			"PONG",
			"patience of 2s, more: false, ERROR, ",
		},
		false: {
			"patience of 30s, more: true, deadline in 30s, WELCOME",
			"deadline in 30s, PONG",
			"patience of 2s, more: false, deadline in 2s, ERROR, ",
		},
	} {
		bubble(t, func(t *testing.T) {
			s, conn, p := noteLink(t, Config{Role: Daemon}, patience)
			if got := conn.noted(); got != want.begin {
				t.Errorf("it begins with %q", got)
			}
			p.send(num(protocol.TypePing, 0, 7))
			p.want(protocol.TypePong, 0, "", "")
			synctest.Wait()
			if got := conn.noted(); got != want.ping {
				t.Errorf("an answer: %q", got)
			}
			conn.mu.Lock()
			more := conn.more
			conn.mu.Unlock()
			if more == nil || !more() {
				t.Error("a peer whose system answers is not waited for")
			} else if conn.answers.Store(false); more() {
				t.Error("a peer whose system is silent is waited for")
			}
			p.send(msg(protocol.TypeHello, 0, "{}"))
			p.want(protocol.TypeError, 0, "", "a second HELLO is a violation")
			synctest.Wait()
			if got := conn.noted(); !strings.HasPrefix(got, want.end) {
				t.Errorf("it ends with %q", got)
			}
			p.conn.Close()
			s.Wait()
		})
	}
}

// A peer that is told of a violation sees the end of the stream at once, not only when the link is
// closed a second later (FR7).
func TestHalfClosedConn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, conn, p := noteLink(t, Config{Role: Daemon}, true)
		began := time.Now()
		p.send(msg(protocol.TypeHello, 0, "{}"))
		p.want(protocol.TypeError, 0, "", "a second HELLO is a violation")
		p.wantEnd("nothing follows ERROR")
		if d := time.Since(began); d != 0 {
			t.Errorf("the end came after %v", d)
		}
		<-time.After(time.Second - 1)
		synctest.Wait()
		if got := conn.noted(); !strings.HasSuffix(got, "ERROR, close write") {
			t.Errorf("within a second: %q", got)
		}
		<-time.After(1)
		synctest.Wait()
		if got := conn.noted(); !strings.HasPrefix(got, "close") {
			t.Errorf("after a second: %q", got)
		}
		s.Wait()
	})
}
