//go:build unix

package daemon

import (
	"bytes"
	"errors"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
)

// conversation is all that a client sends from login to goodbye, for one command that echoes its
// input.
func conversation() []byte {
	return bytes.Join([][]byte{
		hello(nil), open(1, "exec cat"), stdin(1, 3), number(protocol.TypePing, 0, 7),
		endOfStdin(1),
		text(protocol.TypeClose, 1, "{}"), text(protocol.TypeGoodbye, 0, "{}"),
	}, nil)
}

// A client that leaves after any byte of its part of a conversation leaves nothing behind: over a
// Unix socket, with nothing in between.
func TestCutAtEveryByte(t *testing.T) {
	l := newLab(t, nil, "unix:"+filepath.Join(t.TempDir(), "s"))
	before := l.warm()
	for n := range conversation() {
		conn := l.dial()
		if _, err := conn.Write(conversation()[:n]); err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if n%2 == 0 { // wait for what the daemon has to say, or just go
			conn.(*net.UnixConn).CloseWrite()
			if _, err := io.Copy(io.Discard, conn); err != nil && !isEnd(err) {
				t.Fatalf("%d bytes: %v", n, err)
			}
		}
		conn.Close()
	}
	settle(t, before)
	if text := l.log.String(); strings.Contains(text, "level=ERROR") ||
		!strings.Contains(text, "reason=EOF") {
		t.Errorf("the log says\n%s", text)
	}
	if out, _ := l.run("echo still there"); out != "still there\n" {
		t.Errorf("afterwards echo gives %q", out)
	}
}

// cutting lets so many bytes be written, and then breaks the connection.
type cutting struct {
	net.Conn
	left  int
	ends  []int // where writes ended
	wrote int
}

var errCut = errors.New("cut")

func (c *cutting) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p[:min(len(p), c.left)])
	c.left -= n
	c.wrote += n
	c.ends = append(c.ends, c.wrote)
	if err == nil && n < len(p) {
		c.Conn.(*net.TCPConn).SetLinger(c.wrote % 2 * -1) // RST after an even number of bytes
		c.Conn.Close()
		err = errCut
	}
	return n, err
}

// The same through TLS: at many bytes, and around the end of every write, where the state of the
// handshake changes.
func TestCutThroughTLS(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	talk := func(left int) *cutting {
		c := &cutting{Conn: l.dial(), left: left}
		defer c.Close()
		envelope, err := keys.Certificate(l.guest)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := clientOver(c, envelope)
		if err != nil {
			return c
		}
		if _, err := conn.Write(conversation()); err == nil {
			io.Copy(io.Discard, conn)
		}
		return c
	}
	whole := talk(1 << 20)
	at := whole.ends
	for _, end := range whole.ends {
		at = append(at, end-1, end+1, end+5)
	}
	for n := 0; n < whole.wrote; n += 11 {
		at = append(at, n)
	}
	slices.Sort(at)
	for _, n := range slices.Compact(at) {
		talk(n)
	}
	settle(t, before)
	if text := l.log.String(); strings.Contains(text, "level=ERROR") {
		t.Errorf("the log says\n%s", text)
	}
	if out, _ := l.run("echo still there"); out != "still there\n" {
		t.Errorf("afterwards echo gives %q", out)
	}
}

// The log reports a connection's end after the end of what ran on it, though the connection ended
// that.
func TestDisconnectedIsLast(t *testing.T) {
	l := newLab(t, nil)
	conn := l.secure(l.guest)
	s := mux.New(mux.Config{Role: mux.Client})
	start(t, s, protocol.Open{Command: protocol.Bytes("sleep 1000")})
	if _, err := s.Connect(conn, &protocol.Hello{User: user}); err != nil {
		t.Fatal(err)
	}
	l.log.want(t, "Starting command")
	conn.Close()
	l.log.want(t, "Disconnected")
	if log := l.log.String(); !strings.Contains(log, "Command ended") ||
		strings.Index(log, "Command ended") > strings.Index(log, "Disconnected") {
		t.Errorf("the command ended after the connection:\n%s", log)
	}
}
