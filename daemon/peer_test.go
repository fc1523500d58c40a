//go:build unix

package daemon

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// scripted speaks to a daemon frame by frame, and may break any rule.
type scripted struct {
	l    *lab
	t    testing.TB
	raw  net.Conn
	conn *transport.Conn
	in   *protocol.Reader
}

// knock connects with a key that may not be the guest's, and has not said HELLO.
func (l *lab) knock(id keys.Identity) *scripted {
	l.t.Helper()
	return l.knockOn(l.dial(), id)
}

// knockOn is knock on an existing connection.
func (l *lab) knockOn(raw net.Conn, id keys.Identity) *scripted {
	l.t.Helper()
	conn := l.over(raw, id)
	return &scripted{l: l, t: l.t, raw: raw, conn: conn, in: protocol.NewReader(conn)}
}

// hangUp ends the connection below TLS: by FIN, or by RST.
func (p *scripted) hangUp(reset bool) {
	if tcp, ok := p.raw.(*net.TCPConn); ok && reset {
		tcp.SetLinger(0)
	}
	p.raw.Close()
}

// enter logs the guest in, with some more frames after HELLO.
func (l *lab) enter(frames ...[]byte) *scripted {
	l.t.Helper()
	p := l.knock(l.guest)
	p.send(append([][]byte{hello(nil)}, frames...)...)
	p.want(protocol.TypeWelcome)
	return p
}

// hello is a HELLO that the daemon would accept; change, which may be nil, spoils it.
func hello(change func(*protocol.Hello)) []byte {
	var name [32]byte
	rand.Read(name[:])
	h := &protocol.Hello{
		Protocol: protocol.ALPN, Session: hex.EncodeToString(name[:]), Epoch: 1, Create: true,
		User: user,
	}
	if change != nil {
		change(h)
	}
	text, err := json.Marshal(h)
	if err != nil {
		panic(err)
	}
	return protocol.AppendFrame(nil, protocol.TypeHello, 0, 0, text)
}

// text is a frame with a JSON payload, spoilt or not.
func text(t protocol.Type, channel uint32, payload string) []byte {
	return protocol.AppendFrame(nil, t, 0, channel, []byte(payload))
}

// open is an OPEN of a shell command.
func open(channel uint32, command string) []byte {
	frame, err := protocol.AppendMessage(nil, protocol.TypeOpen, channel,
		&protocol.Open{Service: "exec", Command: protocol.Bytes(command)})
	if err != nil {
		panic(err)
	}
	return frame
}

func (p *scripted) send(frames ...[]byte) {
	p.t.Helper()
	if _, err := p.conn.Write(bytes.Join(frames, nil)); err != nil {
		p.t.Fatalf("write: %v\n%s", err, p.l.log)
	}
}

// want reads up to a frame of some type.
func (p *scripted) want(kind protocol.Type) protocol.Frame {
	p.t.Helper()
	for {
		f, err := p.in.Next()
		if err != nil {
			p.t.Fatalf("%v instead of %v\n%s", err, kind, p.l.log)
		}
		if f.Type == kind {
			return f
		}
		if f.Type == protocol.TypeError {
			p.t.Fatalf("ERROR %s instead of %v", f.Payload, kind)
		}
	}
}

// wantError reads up to an ERROR, which must be the last frame, and hangs up.
func (p *scripted) wantError() *protocol.Reason {
	p.t.Helper()
	reason := new(protocol.Reason)
	if err := p.want(protocol.TypeError).Decode(reason); err != nil {
		p.t.Fatal(err)
	}
	if f, err := p.in.Next(); !isEnd(err) {
		p.t.Fatalf("%v and %v after ERROR", f.Type, err)
	}
	p.conn.Close()
	return reason
}

// isEnd recognizes a connection that the other side has closed, by FIN or RST.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
}

// result is a command's result.
type result struct {
	out, err string
	exit     *protocol.Exit
	refused  *protocol.Reason // CLOSE without EXIT
	notices  []string
}

// collect reads a channel to its end.
func collect(t testing.TB, ch *mux.Channel) *result {
	t.Helper()
	r, err := finish(ch)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func finish(ch *mux.Channel) (*result, error) {
	r := new(result)
	var out, errs bytes.Buffer
	buf := make([]byte, 8192)
	for {
		e, err := ch.Next(buf)
		if err != nil {
			r.out, r.err = out.String(), errs.String()
			for len(ch.Requests()) > 0 {
				if notice, ok := (<-ch.Requests()).Message.(*protocol.Notice); ok {
					r.notices = append(r.notices, notice.Notice)
				}
			}
			ch.Close(nil)
			if err == io.EOF {
				err = nil
			}
			return r, err
		}
		switch m := e.Message.(type) {
		case *protocol.Exit:
			r.exit = m
		case *protocol.Reason:
			if r.exit == nil {
				r.refused = m
			}
		}
		switch {
		case e.Type == protocol.TypeStdout && !e.EOF:
			out.Write(buf[:e.N])
		case e.Type == protocol.TypeStderr && !e.EOF:
			errs.Write(buf[:e.N])
		}
	}
}

// start opens a channel in a session; the request's service is exec if it names none.
func start(t testing.TB, s *mux.Session, request protocol.Open) *mux.Channel {
	t.Helper()
	if request.Service == "" {
		request.Service = "exec"
	}
	ch, err := s.Open(&request)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// shell opens a channel for a shell command with empty input.
func shell(t testing.TB, s *mux.Session, command string) *mux.Channel {
	t.Helper()
	ch := start(t, s, protocol.Open{Command: protocol.Bytes(command)})
	ch.EOF(protocol.TypeStdin)
	return ch
}

// run logs in, runs a shell command and says goodbye.
func (l *lab) run(command string) (string, *protocol.Exit) {
	l.t.Helper()
	s := l.session(nil)
	defer s.Close(nil)
	r := collect(l.t, shell(l.t, s, command))
	if r.exit == nil {
		l.t.Fatalf("%s: refused: %+v", command, r.refused)
	}
	return r.out, r.exit
}

// firstLine reads a command's output up to the end of its first line.
func firstLine(t testing.TB, ch *mux.Channel) string {
	t.Helper()
	var line []byte
	buf := make([]byte, 1)
	for {
		e, err := ch.Next(buf)
		if err != nil || e.EOF {
			t.Fatalf("the output ended after %q: %v", line, err)
		}
		if e.N > 0 && e.Type == protocol.TypeStdout {
			if buf[0] == '\n' {
				return string(line)
			}
			line = append(line, buf[0])
		}
	}
}

// window is the terminal that most tests ask for: no echo, and line ends as they are written.
func window() *protocol.PTY {
	return &protocol.PTY{
		Term: protocol.Bytes("xterm-256color"), Size: protocol.Size{Rows: 33, Cols: 111, Width: 5,
			Height: 6},
		Modes: map[string]int64{"echo": 0, "opost": 0, "verase": 8, "vintr": 3, "later": 1},
	}
}

func typed(t *testing.T, ch *mux.Channel, text string) {
	t.Helper()
	if _, err := ch.Write(protocol.TypeStdin, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// upTo reads a terminal's output until it holds a text.
func upTo(t testing.TB, ch *mux.Channel, text string) string {
	t.Helper()
	var seen bytes.Buffer
	buf := make([]byte, 1)
	for !strings.Contains(seen.String(), text) {
		e, err := ch.Next(buf)
		if err != nil {
			t.Fatalf("the end came after %q, before %q: %v", seen.String(), text, err)
		}
		seen.Write(buf[:e.N])
	}
	return seen.String()
}
