package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"minissh/cmd/minissh-lab/tape"
	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Main(m) }

// patience ends a test that hangs; it measures nothing.
const patience = 30 * time.Second

// place is a relay at work, with both ends of one connection through it.
type place struct {
	*tape.Tape
	client, server net.Conn
	address        string
	l              net.Listener // the server's
}

// start relays a network's connections until the test ends, and makes one.
func start(t *testing.T, network string) *place {
	t.Helper()
	p := &place{Tape: tape.New()}
	here, there := "127.0.0.1:0", "127.0.0.1:0"
	if network == "unix" {
		here, there = filepath.Join(t.TempDir(), "r"), filepath.Join(t.TempDir(), "s")
	}
	l, err := net.Listen(network, there)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p.l = l
	p.address = serve(t, Config{Network: network, Address: here, TargetNetwork: network,
		TargetAddress: l.Addr().String(), Tape: p.Tape})
	if p.client, err = net.Dial(network, p.address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.client.Close() })
	p.client.SetDeadline(time.Now().Add(patience))
	p.server = testend.Accept(t, l)
	return p
}

// serve relays until the test ends and returns where.
func serve(t *testing.T, cfg Config) string {
	t.Helper()
	r, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := testend.Next(t, "Serve ends", ended); err != nil {
			t.Error(err)
		}
	})
	return r.Addr().String()
}

// send writes, and waits until the relay has recorded it.
func (p *place) send(t *testing.T, from net.Conn, text string) {
	t.Helper()
	events, _ := p.From(0)
	before := len(events)
	if _, err := io.WriteString(from, text); err != nil {
		t.Fatal(err)
	}
	p.wait(t, before+1)
}

// wait waits for the tape to have n events.
func (p *place) wait(t *testing.T, n int) {
	t.Helper()
	testend.Until(t, fmt.Sprintf("%d events: %s", n, p.story()), func() bool {
		events, _ := p.From(0)
		return len(events) >= n
	})
}

// story is the tape in short.
func (p *place) story() string {
	events, _ := p.From(0)
	var all []string
	for _, e := range events {
		text := string(e.Kind)
		switch e.Way {
		case tape.Up:
			text = "> " + text
		case tape.Down:
			text = "< " + text
		}
		if e.Kind == tape.Data {
			text = strings.Replace(text, "data", string(e.Data), 1)
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// want reads exactly this, and nothing else.
func want(t *testing.T, c net.Conn, text string) {
	t.Helper()
	buf := make([]byte, len(text))
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != text {
		t.Errorf("%q, %v; want %q", buf, err, text)
	}
}

func wantEnd(t *testing.T, c net.Conn, end error) {
	t.Helper()
	buf := make([]byte, 64)
	if n, err := c.Read(buf); n != 0 || !errors.Is(err, end) {
		t.Errorf("%q, %v; want %v", buf[:n], err, end)
	}
}

// Each piece is on the tape with its direction, in order, and both ends see the same bytes. A
// client that has said all it has to say still gets its answer.
func TestPiecesAndHalfClose(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		p := start(t, network)
		p.send(t, p.client, "ls")
		want(t, p.server, "ls")
		p.send(t, p.server, "a.txt")
		want(t, p.client, "a.txt")
		p.client.(interface{ CloseWrite() error }).CloseWrite()
		wantEnd(t, p.server, io.EOF)
		p.send(t, p.server, "after the end")
		want(t, p.client, "after the end")
		p.server.Close()
		wantEnd(t, p.client, io.EOF)
		if got := p.story(); got != "open, > ls, < a.txt, > end, < after the end, < end" {
			t.Errorf("%s: %s", network, got)
		}
		if events, _ := p.From(0); network == "tcp" && runtime.GOOS == "linux" &&
			(events[1].Segments != 1 || events[2].Segments != 1) {
			t.Errorf("segments %d and %d", events[1].Segments, events[2].Segments)
		}
	}
}

// A RST comes out as a RST on the other side, in either direction.
func TestResetIsPassedOn(t *testing.T) {
	for _, way := range []tape.Way{tape.Up, tape.Down} {
		p := start(t, "tcp")
		from, to, arrow := p.client, p.server, ">"
		if way == tape.Down {
			from, to, arrow = p.server, p.client, "<"
		}
		p.send(t, from, "then")
		want(t, to, "then")
		abort(from)
		wantEnd(t, to, syscall.ECONNRESET)
		if got := p.story(); got != fmt.Sprintf("open, %[1]s then, %[1]s reset", arrow) {
			t.Errorf("%s: %s", way, got)
		}
	}
}

// A server that closes and is sent something more answers with a RST: the client hears it without
// sending a second time, and has what the server had said before.
func TestResetAfterTheEnd(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not run: this system does not tell of a reset after the end")
	}
	p := start(t, "tcp")
	p.send(t, p.server, "bye")
	p.server.Close()
	want(t, p.client, "bye")
	wantEnd(t, p.client, io.EOF)
	p.send(t, p.client, "too late")
	p.wait(t, 5)
	if got := p.story(); got != "open, < bye, < end, > too late, < reset" {
		t.Error(got)
	}
	testend.Until(t, "the client hears of it", func() bool {
		_, err := p.client.Write([]byte("x"))
		return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	})
}

// When there is no server, the client is told by a RST, and the tape says why.
func TestNoServer(t *testing.T) {
	p := &place{Tape: tape.New()}
	address := serve(t, Config{Network: "tcp", Address: "127.0.0.1:0", TargetNetwork: "unix",
		TargetAddress: filepath.Join(t.TempDir(), "nobody"), Tape: p.Tape})
	turnedAway(t, address)
	if got := p.story(); got != "open, refused" {
		t.Error(got)
	}
}

// A relay whose server is itself would connect to itself for ever.
func TestNotToItself(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	free, path := l.Addr().String(), filepath.Join(t.TempDir(), "s")
	_, port, _ := net.SplitHostPort(free)
	for _, c := range [][4]string{
		{"tcp", free, "tcp", free},
		{"tcp", ":" + port, "tcp", free},
		{"tcp", free, "tcp", "0.0.0.0:" + port},
		{"tcp", free, "tcp", "localhost:" + port},
		{"unix", path, "unix", path},
	} {
		r, err := Listen(Config{Network: c[0], Address: c[1], TargetNetwork: c[2],
			TargetAddress: c[3], Tape: tape.New()})
		if !errors.Is(err, ErrItself) {
			t.Errorf("%v: %v", c, err)
		}
		if err == nil {
			r.Close()
		}
	}
}

// A server that is still starting is waited for while it may come, and no longer.
func TestWaitsForAServerThatStarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	ended := make(chan struct{})
	p := &place{Tape: tape.New()}
	address := serve(t, Config{Network: "tcp", Address: "127.0.0.1:0", TargetNetwork: "unix",
		TargetAddress: path, Tape: p.Tape, Ended: ended})
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	p.wait(t, 1)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := testend.Accept(t, l)
	p.send(t, c, "hello")
	want(t, s, "hello")
	s.Close()
	wantEnd(t, c, io.EOF)
	l.Close() // and its file is gone
	close(ended)
	turnedAway(t, address)
}

// turnedAway connects and wants a RST, which may come before the connect has returned.
func turnedAway(t *testing.T, address string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err == nil {
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%v; want a reset", err)
	}
}

// A full tape goes on relaying, and says nothing more.
func TestFullTapeRelaysOn(t *testing.T) {
	p := start(t, "tcp")
	const size = tape.MaxBytes + 1<<20
	data := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	sent := make(chan error, 1)
	go func() {
		_, err := p.client.Write(data)
		p.client.(*net.TCPConn).CloseWrite()
		sent <- err
	}()
	got, err := io.ReadAll(p.server)
	if err != nil || !bytes.Equal(got, data) ||
		testend.Next(t, "all is sent", sent) != nil {
		t.Fatalf("%d bytes came, %v", len(got), err)
	}
	if _, err := io.WriteString(p.server, "done"); err != nil {
		t.Fatal(err)
	}
	want(t, p.client, "done")
	events, _ := p.From(0)
	kept := 0
	for _, e := range events {
		kept += len(e.Data)
	}
	if last := events[len(events)-1]; kept > 16<<20 || kept < 15<<20 || last.Kind != tape.Full {
		t.Errorf("%d bytes kept, the last event is %q", kept, last.Kind)
	}
}

// Ctrl-C ends what is under way, whatever the peers do, and waits for it (testend counts).
func TestEndsWithItsContext(t *testing.T) {
	tp := tape.New()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := Listen(Config{Network: "tcp", Address: "127.0.0.1:0", TargetNetwork: "tcp",
		TargetAddress: l.Addr().String(), Tape: tp})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var served sync.WaitGroup
	served.Go(func() { r.Serve(ctx) })
	var open []net.Conn
	for range 5 {
		c, err := net.Dial("tcp", r.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		s := testend.Accept(t, l)
		open = append(open, c, s)
	}
	cancel()
	served.Wait()
	for _, c := range open {
		c.SetDeadline(time.Now().Add(patience))
		if _, err := c.Read(make([]byte, 1)); err == nil ||
			errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("an end of it is still open: %v", err)
		}
		c.Close()
	}
	if events, _ := tp.From(0); len(events) != 5 {
		t.Errorf("%d events: the end of the lab is not the peers' news", len(events))
	}
}

// More connections than anyone's own programs open are turned away, and the others go on.
func TestConnectionsAreBounded(t *testing.T) {
	p := start(t, "tcp")
	for range maxConns - 1 {
		for _, open := range []func() (net.Conn, error){
			func() (net.Conn, error) { return net.Dial("tcp", p.address) }, p.l.Accept} {
			c, err := open()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
		}
	}
	for range 5 {
		turnedAway(t, p.address)
	}
	p.send(t, p.client, "still here")
	want(t, p.server, "still here")
	if got := strings.Count(p.story(), "open"); got != 64 {
		t.Errorf("%d connections are recorded", got)
	}
}
