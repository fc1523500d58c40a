package mux

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
)

// script is a peer played by a test: it sends what the test says and expects certain frames back,
// each for a reason.
type script struct {
	t    *testing.T
	conn *end
	r    *protocol.Reader
}

func play(t *testing.T, conn *end) *script {
	t.Cleanup(func() { conn.Close() }) // if a test fails, its bubble still comes to an end
	return &script{t, conn, protocol.NewReader(conn)}
}

// send writes bytes that make frames.
func (s *script) send(frames ...[]byte) {
	s.t.Helper()
	if _, err := s.conn.Write(bytes.Join(frames, nil)); err != nil {
		s.t.Fatalf("the script could not send: %v", err)
	}
}

// want reads the next frame and checks that it is what the script says. body, if not "", is a part
// of its payload, a number for those that hold one, or for data how many bytes: "5 bytes".
func (s *script) want(kind protocol.Type, channel uint32, body, because string) protocol.Frame {
	s.t.Helper()
	f, err := s.r.Next()
	if err != nil {
		s.t.Fatalf("%v was wanted, because %s; instead: %v", kind, because, err)
	}
	got := protocol.Describe(f, 60)
	if f.Type != kind || f.Channel != channel || body != "" && !strings.Contains(got, body) {
		s.t.Fatalf("%v on %d %q was wanted, because %s; instead: %s", kind, channel, body, because,
			got)
	}
	return f
}

// wantEnd wants nothing more to come, for whatever reason.
func (s *script) wantEnd(because string) {
	s.t.Helper()
	if f, err := s.r.Next(); err == nil {
		s.t.Fatalf("the end was wanted, because %s; instead: %s", because, protocol.Describe(f, 60))
	}
}

// wantSilence wants nothing to come within the given (fake) time.
func (s *script) wantSilence(most time.Duration, because string) {
	s.t.Helper()
	s.conn.SetReadDeadline(time.Now().Add(most))
	defer s.conn.SetReadDeadline(time.Time{})
	if n, err := s.conn.Read(make([]byte, 1)); n > 0 {
		s.t.Fatalf("silence was wanted, because %s; instead something came", because)
	} else if errors.Is(err, io.EOF) {
		s.t.Fatalf("silence was wanted, because %s; instead the link ended", because)
	}
}

// Frame builders, short because scripts are full of them.
func msg(kind protocol.Type, channel uint32, text string) []byte {
	return protocol.AppendFrame(nil, kind, 0, channel, []byte(text))
}

func num(kind protocol.Type, channel uint32, n uint64) []byte {
	return protocol.AppendNumber(nil, kind, channel, n)
}

func open(channel uint32) []byte { return msg(protocol.TypeOpen, channel, `{"service":"test"}`) }

func shut(channel uint32) []byte { return msg(protocol.TypeClose, channel, `{}`) }

func ended(kind protocol.Type, channel uint32) []byte {
	return protocol.AppendFrame(nil, protocol.TypeEOF, 0, channel, []byte{byte(kind)})
}

func data(kind protocol.Type, channel uint32, n int) []byte {
	var b []byte
	for n > 0 {
		m := min(n, protocol.MaxPayload)
		b = protocol.AppendFrame(b, kind, 0, channel, make([]byte, m))
		n -= m
	}
	return b
}

var testName = strings.Repeat("5f", 32)

// helloFrame is a HELLO; change edits its defaults.
func helloOf(change func(*protocol.Hello)) *protocol.Hello {
	h := &protocol.Hello{Protocol: protocol.ALPN, Session: testName, Epoch: 1, Create: true,
		User: "u"}
	if change != nil {
		change(h)
	}
	return h
}

// asDaemon starts a daemon's session on a link and plays its client: HELLO has been sent, WELCOME
// has come. Accept's result goes to the returned channel.
func asDaemon(t *testing.T, s *Session, hello *protocol.Hello) (*script, <-chan error) {
	t.Helper()
	near, far := pipe()
	accepted := make(chan error, 1)
	go func() {
		accepted <- s.Accept(far, hello, &protocol.Welcome{})
		far.Close()
	}()
	p := play(t, near)
	p.want(protocol.TypeWelcome, 0, "", "HELLO was accepted")
	return p, accepted
}

// asClient connects a client's session and plays its daemon: HELLO has come, and nothing was
// answered. Connect's result goes to the returned channel.
func asClient(t *testing.T, s *Session) (*script, *protocol.Hello, <-chan error) {
	t.Helper()
	near, far := pipe()
	connected := make(chan error, 1)
	go func() {
		_, err := s.Connect(near, &protocol.Hello{User: "u"})
		connected <- err
	}()
	p := play(t, far)
	f := p.want(protocol.TypeHello, 0, "", "it is the first frame of a link")
	hello := new(protocol.Hello)
	if err := json.Unmarshal(f.Payload, hello); err != nil {
		t.Fatal(err)
	}
	return p, hello, connected
}

func welcome(received int64, resend int64) []byte {
	b, err := protocol.AppendMessage(nil, protocol.TypeWelcome, 0,
		&protocol.Welcome{Received: received, Resend: resend, Channels: 64, Uptime: 3600_000})
	if err != nil {
		panic(err)
	}
	return b
}

// bubble runs a test in fake time; when it returns, every goroutine it started must have ended.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// ignore is an application that does nothing until its channel is gone.
func ignore(c *Channel) { <-c.Gone() }

// codeOf is the code of what we said or they said.
func codeOf(err error) protocol.Code {
	var v *protocol.Violation
	var r *protocol.RemoteError
	switch {
	case errors.As(err, &v):
		return v.Code
	case errors.As(err, &r):
		return r.Code
	}
	return ""
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
