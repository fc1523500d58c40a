//go:build unix

package daemon

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"minissh/daemon/authorized"
	"minissh/daemon/service"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// targetOf is a listener as a target (FO1).
func targetOf(l net.Listener) *protocol.Target {
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		return &protocol.Target{Host: a.IP.String(), Port: a.Port}
	}
	return &protocol.Target{Path: protocol.Bytes(l.Addr().String())}
}

// listening has serve called for each connection to a listener, which is closed at the test's end.
func listening(t testing.TB, network, address string, serve func(net.Conn)) *protocol.Target {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	accepting := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-accepting })
	go func() {
		defer close(accepting)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn)
		}
	}()
	return targetOf(l)
}

// echo sends back what comes, and ends when that does.
func echo(conn net.Conn) {
	defer conn.Close()
	io.Copy(conn, conn)
}

func connection(t testing.TB, s *mux.Session, to *protocol.Target, in uint32) *mux.Channel {
	t.Helper()
	return start(t, s, protocol.Open{Service: authorized.Forward.Name, Connect: to, In: int64(in)})
}

// opened waits for OPENED, and says whether it came.
func opened(ch *mux.Channel) bool {
	select {
	case e := <-ch.Requests():
		return e.Type == protocol.TypeOpened
	case <-ch.Gone():
		return len(ch.Requests()) > 0
	}
}

// newGroup is a group that can be used (FO2).
func newGroup(t testing.TB, s *mux.Session) *mux.Channel {
	t.Helper()
	group := start(t, s, protocol.Open{Service: authorized.Forward.Name})
	if !opened(group) {
		t.Fatalf("no group: %+v", collect(t, group).refused)
	}
	return group
}

// Connections by TCP and to a Unix socket, with a group and without one (FO2 to FO4).
func TestForward(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	t.Run("all ways", func(t *testing.T) { forwardsAll(t, l) })
	settle(t, before)
	l.log.want(t, "Starting connection", "to=127.0.0.1:")
	l.log.want(t, "Connection ended", "bytes_in=10 bytes_out=10")
}

func forwardsAll(t *testing.T, l *lab) {
	path := filepath.Join(t.TempDir(), "socket")
	tcp := listening(t, "tcp", "127.0.0.1:0", echo)
	unix := listening(t, "unix", path, echo)
	s := l.session(nil)
	group := newGroup(t, s)
	for _, in := range []uint32{0, group.ID()} {
		for _, to := range []*protocol.Target{tcp, unix} {
			ch := connection(t, s, to, in)
			ch.Write(protocol.TypeStdin, []byte("over there"))
			ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "KILL"}) // means nothing
			ch.EOF(protocol.TypeStdin)
			r := collect(t, ch)
			if r.out != "over there" || r.err != "" || r.exit == nil ||
				r.exit.How != protocol.HowExited || *r.exit.Code != 0 {
				t.Errorf("%s in %d: %+v", to, in, r)
			}
		}
	}
	group.EOF(protocol.TypeStdin)
	if r := collect(t, group); r.exit == nil || r.exit.How != protocol.HowExited {
		t.Errorf("the group: %+v", r)
	}
	s.Close(nil)
}

// What refuses a connection, and with which code (FO2, FO3, FO6).
func TestForwardRefused(t *testing.T) {
	l := newLab(t, nil)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := targetOf(nobody)
	nobody.Close()
	s := l.session(nil)
	defer s.Close(nil)
	group := newGroup(t, s)
	for _, c := range []struct {
		to   *protocol.Target
		in   uint32
		code protocol.Code
		says string
	}{
		{closed, 0, protocol.CodeConnectFailed, "connection refused"},
		{closed, group.ID(), protocol.CodeConnectFailed, "connection refused"},
		{&protocol.Target{Path: protocol.Bytes("/no/such/\x1bsocket")}, group.ID(),
			protocol.CodeConnectFailed, `\x1bsocket": no such file`},
		{&protocol.Target{Host: "no-such-host.invalid", Port: 1}, group.ID(),
			protocol.CodeConnectFailed, "the name cannot be looked up"},
		{closed, 99, protocol.CodeBadRequest, "no group"},
		{&protocol.Target{}, 0, protocol.CodeBadRequest, ""},
	} {
		r := collect(t, connection(t, s, c.to, c.in))
		if r.refused == nil || r.refused.Code != c.code ||
			!strings.Contains(r.refused.Message, c.says) {
			t.Errorf("%s in %d: %+v", c.to, c.in, r.refused)
		}
	}
	l.log.want(t, "Request refused", "code=connect_failed")
	shell := start(t, s, protocol.Open{Shell: true})
	if r := collect(t, connection(t, s, closed, shell.ID())); r.refused == nil ||
		r.refused.Code != protocol.CodeBadRequest {
		t.Errorf("in a shell: %+v", r)
	}
	shell.Close(nil)
	other := l.session(nil)
	defer other.Close(nil)
	if r := collect(t, connection(t, other, closed, group.ID())); r.refused == nil ||
		r.refused.Code != protocol.CodeBadRequest {
		t.Errorf("in another session's group: %+v", r)
	}
	group.Close(nil)
	if r := collect(t, group); r.exit == nil || r.exit.How != protocol.HowCancelled {
		t.Errorf("%+v", r)
	}
	if r := collect(t, connection(t, s, closed, group.ID())); r.refused == nil ||
		r.refused.Code != protocol.CodeBadRequest {
		t.Errorf("in a group that has ended: %+v", r)
	}
}

// A daemon may forward nothing, or nothing of this kind (FO6).
func TestForwardNotAllowed(t *testing.T) {
	for _, allowed := range []string{service.ForwardNo, service.ForwardRemote} {
		l := newLab(t, func(o *Options) { o.Forwarding = allowed })
		s := l.session(nil)
		for _, to := range []*protocol.Target{nil, {Host: "localhost", Port: 1}} {
			if r := collect(t, connection(t, s, to, 0)); r.refused == nil ||
				r.refused.Code != protocol.CodeServiceRefused {
				t.Errorf("%s: %+v", allowed, r)
			}
		}
		s.Close(nil)
	}
}

// Each direction ends by itself: the target goes on sending after our end, and taking after its own
// (FO4).
func TestForwardHalfClose(t *testing.T) {
	l := newLab(t, nil)
	got := make(chan string, 1)
	after := listening(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
		defer conn.Close()
		text, _ := io.ReadAll(conn)
		conn.Write(append([]byte("after "), text...))
	})
	before := listening(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
		defer conn.Close()
		conn.Write([]byte("first"))
		conn.(*net.TCPConn).CloseWrite()
		text, _ := io.ReadAll(conn)
		got <- string(text)
	})
	s := l.session(nil)
	defer s.Close(nil)
	ch := connection(t, s, after, 0)
	ch.Write(protocol.TypeStdin, []byte("us"))
	ch.EOF(protocol.TypeStdin)
	if r := collect(t, ch); r.out != "after us" || r.exit == nil {
		t.Errorf("%+v", r)
	}
	ch = connection(t, s, before, 0)
	for ended := false; !ended; {
		e, err := ch.Next(make([]byte, 64))
		if err != nil {
			t.Fatal(err)
		}
		ended = e.EOF && e.Type == protocol.TypeStdout
	}
	ch.Write(protocol.TypeStdin, []byte("then us"))
	ch.EOF(protocol.TypeStdin)
	if r := collect(t, ch); r.exit == nil || <-got != "then us" {
		t.Errorf("%+v", r)
	}
}

// A target that resets is told, and one whose client wants no more is reset (FO4).
func TestForwardBroken(t *testing.T) {
	l := newLab(t, nil)
	ended := make(chan error, 1)
	resets := listening(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
		conn.Read(make([]byte, 1))
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	})
	waits := listening(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
		defer conn.Close()
		conn.Write([]byte("x"))
		_, err := conn.Read(make([]byte, 1))
		ended <- err
	})
	s := l.session(nil)
	ch := connection(t, s, resets, 0)
	ch.Write(protocol.TypeStdin, []byte("x"))
	if r := collect(t, ch); r.refused == nil || r.refused.Code != protocol.CodeConnectionBroken {
		t.Errorf("%+v", r)
	}
	for _, end := range []func(*mux.Channel){
		func(ch *mux.Channel) { ch.Close(nil) }, func(*mux.Channel) { s.Close(nil) }} {
		ch := connection(t, s, waits, 0)
		upTo(t, ch, "x")
		end(ch)
		if err := <-ended; err == nil || errors.Is(err, io.EOF) {
			t.Errorf("the target saw %v", err)
		}
	}
	l.log.want(t, "Connection ended", "how=connection_broken")
	l.log.want(t, "Connection ended", "how=cancelled")
	l.log.want(t, "Connection ended", "how=hung_up")
}

// A connection whose target takes nothing delays nobody, and its client may give it up; so may one
// that is still being made.
func TestForwardStuck(t *testing.T) {
	l := newLab(t, nil)
	held := make(chan net.Conn, 1)
	stuck := listening(t, "tcp", "127.0.0.1:0", func(conn net.Conn) { held <- conn })
	fine := listening(t, "tcp", "127.0.0.1:0", echo)
	s := l.session(nil)
	defer s.Close(nil)
	group := newGroup(t, s)
	ch := connection(t, s, stuck, group.ID())
	if !opened(ch) {
		t.Fatal("not opened")
	}
	writing := make(chan struct{})
	go func() {
		defer close(writing)
		for { // until nothing more goes through, and beyond
			if _, err := ch.Write(protocol.TypeStdin, make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}()
	other := connection(t, s, fine, group.ID())
	other.Write(protocol.TypeStdin, []byte("meanwhile"))
	other.EOF(protocol.TypeStdin)
	if r := collect(t, other); r.out != "meanwhile" {
		t.Errorf("%+v", r)
	}
	ch.Close(nil)
	if r := collect(t, ch); r.exit == nil || r.exit.How != protocol.HowCancelled {
		t.Errorf("%+v", r)
	}
	<-writing
	(<-held).Close()
}

// A connection outlives its group (FO2), whose helper ends with it.
func TestForwardOutlivesGroup(t *testing.T) {
	l := newLab(t, nil)
	to := listening(t, "tcp", "127.0.0.1:0", echo)
	s := l.session(nil)
	defer s.Close(nil)
	group := start(t, s, protocol.Open{Service: authorized.Forward.Name})
	helper := (<-group.Requests()).Message.(*protocol.Opened).PID
	ch := connection(t, s, to, group.ID())
	if !opened(ch) {
		t.Fatal("not opened")
	}
	group.EOF(protocol.TypeStdin)
	collect(t, group)
	testend.Gone(t, helper)
	ch.Write(protocol.TypeStdin, []byte("still here"))
	ch.EOF(protocol.TypeStdin)
	if r := collect(t, ch); r.out != "still here" {
		t.Errorf("%+v", r)
	}
}

// A helper that is killed ends its group, and no other; one that is stopped is killed when its
// channel is gone.
func TestForwardHelperLost(t *testing.T) {
	l := newLab(t, nil)
	to := listening(t, "tcp", "127.0.0.1:0", echo)
	s := l.session(nil)
	defer s.Close(nil)
	for _, signal := range []os.Signal{os.Kill, stopSignal} {
		group := start(t, s, protocol.Open{Service: authorized.Forward.Name})
		pid := (<-group.Requests()).Message.(*protocol.Opened).PID
		helper, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		if err := helper.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if signal == os.Kill {
			if r := collect(t, group); r.refused == nil ||
				r.refused.Code != protocol.CodeInternal {
				t.Errorf("%+v", r)
			}
			continue
		}
		waits := connection(t, s, to, group.ID())
		waits.Close(nil)
		if r := collect(t, waits); r.refused == nil || r.refused.Code != protocol.CodeCancelled {
			t.Errorf("%+v", r)
		}
		group.Close(nil)
		collect(t, group)
		testend.Gone(t, pid)
	}
}

// A daemon that is being stopped does not wait for a group that does nothing.
func TestForwardStopping(t *testing.T) {
	l := newLab(t, func(o *Options) { o.ShutdownGrace = time.Hour })
	s := l.session(nil)
	group := newGroup(t, s)
	stopped := make(chan struct{})
	go func() { defer close(stopped); l.Shutdown(t.Context()) }()
	if r := collect(t, group); r.refused == nil || r.refused.Code != protocol.CodeShuttingDown {
		t.Errorf("%+v", r)
	}
	within(t, "the daemon ends", stopped)
}

const stopSignal = syscall.SIGSTOP
