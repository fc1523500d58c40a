//go:build unix

package daemon

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"minissh/daemon/authorized"
	"minissh/daemon/service"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// listener opens a listener, and gives its port when it is ready.
func listener(t testing.TB, s *mux.Session, on *protocol.Target) (*mux.Channel, int) {
	t.Helper()
	ch := start(t, s, protocol.Open{Service: authorized.Forward.Name, Listen: on})
	select {
	case e := <-ch.Requests():
		return ch, e.Message.(*protocol.Opened).Port
	case <-ch.Gone():
		t.Fatalf("no listener: %+v", collect(t, ch).refused)
		return nil, 0
	}
}

// refusedListener is why there is none.
func refusedListener(t testing.TB, s *mux.Session, on *protocol.Target) *protocol.Reason {
	t.Helper()
	ch := start(t, s, protocol.Open{Service: authorized.Forward.Name, Listen: on})
	r := collect(t, ch)
	if r.refused == nil {
		t.Fatalf("%s: it listens: %+v", on, r)
	}
	return r.refused
}

// awaiting opens a channel for the next connection.
func awaiting(t testing.TB, s *mux.Session, l *mux.Channel) *mux.Channel {
	t.Helper()
	return start(t, s, protocol.Open{Service: authorized.Forward.Name, Accept: true,
		In: int64(l.ID())})
}

func callPort(t testing.TB, port int) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// A port and a Unix socket are listened on, and each connection is a channel (FO7, FO8). The ends
// of both directions pass through.
func TestListen(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	t.Run("both", func(t *testing.T) { listensOnBoth(t, l) })
	settle(t, before)
	l.log.want(t, "Starting listener", "on=localhost:0", "port=")
	l.log.want(t, "Starting connection", "from=127.0.0.1:")
	l.log.want(t, "Connection ended", "how=ended bytes_in=5 bytes_out=3")
	l.log.want(t, "Listener ended")
}

func listensOnBoth(t *testing.T, l *lab) {
	path := filepath.Join(t.TempDir(), "socket")
	s := l.session(nil)
	defer s.Close(nil)
	tcp, port := listener(t, s, &protocol.Target{Host: "localhost"})
	unix, none := listener(t, s, &protocol.Target{Path: protocol.Bytes(path)})
	if none != 0 {
		t.Errorf("a Unix socket has port %d", none)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v, %v", info, err)
	}
	for _, way := range []struct {
		l             *mux.Channel
		network, addr string
	}{{tcp, "tcp", "127.0.0.1:" + strconv.Itoa(port)}, {unix, "unix", path}} {
		for range 2 {
			ch := awaiting(t, s, way.l)
			conn, err := net.Dial(way.network, way.addr)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(conn, "in.")
			conn.(mux.HalfCloser).CloseWrite()
			upTo(t, ch, "in.")
			ch.Write(protocol.TypeStdin, []byte("back."))
			ch.EOF(protocol.TypeStdin)
			if got, err := io.ReadAll(conn); string(got) != "back." || err != nil {
				t.Errorf("%s: %q, %v", way.network, got, err)
			}
			if r := collect(t, ch); r.exit == nil || r.exit.How != protocol.HowExited {
				t.Errorf("%s: %+v", way.network, r)
			}
			conn.Close()
		}
	}
	for _, ch := range []*mux.Channel{tcp, unix} {
		ch.EOF(protocol.TypeStdin)
		if r := collect(t, ch); r.exit == nil || r.exit.How != protocol.HowExited {
			t.Errorf("the listener: %+v", r)
		}
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
	if conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
		conn.Close()
		t.Error("the port is still listened on")
	}
}

// What refuses a listener, and with which code.
func TestListenRefused(t *testing.T) {
	l := newLab(t, nil)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := l.session(nil)
	defer s.Close(nil)
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		on   protocol.Target
		says string
	}{
		{protocol.Target{Host: "localhost", Port: taken.Addr().(*net.TCPAddr).Port},
			"address already in use"},
		{protocol.Target{Path: protocol.Bytes(plain)}, "not a socket"},
		{protocol.Target{Path: protocol.Bytes("/" + strings.Repeat("x", 108))}, "bytes here"},
		{protocol.Target{Path: protocol.Bytes("/no/such/\x1bfolder")}, `\x1bfolder": no such file`},
	} {
		if r := refusedListener(t, s, &c.on); r.Code != protocol.CodeListenFailed ||
			!strings.Contains(r.Message, c.says) {
			t.Errorf("%s: %+v", &c.on, r)
		}
	}
	group := newGroup(t, s)
	other := l.session(nil)
	defer other.Close(nil)
	theirs, _ := listener(t, other, &protocol.Target{})
	for _, in := range []*mux.Channel{group, theirs} {
		if r := collect(t, awaiting(t, s, in)); r.refused == nil ||
			r.refused.Code != protocol.CodeBadRequest {
			t.Errorf("%+v", r)
		}
	}
	for n := range 17 {
		ch := start(t, s, protocol.Open{Service: authorized.Forward.Name,
			Listen: &protocol.Target{}})
		if opened(ch) != (n < 16) {
			t.Errorf("listener %d: %+v", n+1, collect(t, ch).refused)
		}
	}
}

// A daemon may listen for nobody, and its ports may be loopback's alone.
func TestListenAllowed(t *testing.T) {
	for _, allowed := range []string{service.ForwardNo, service.ForwardLocal} {
		l := newLab(t, func(o *Options) { o.Forwarding = allowed })
		s := l.session(nil)
		if r := refusedListener(t, s, &protocol.Target{}); r.Code !=
			protocol.CodeServiceRefused {
			t.Errorf("%s: %+v", allowed, r)
		}
		s.Close(nil)
	}
	remote := newLab(t, func(o *Options) { o.Forwarding = service.ForwardRemote })
	s := remote.session(nil)
	listener(t, s, &protocol.Target{})
	s.Close(nil)
	for gateway, want := range map[string]map[string]bool{ // host: reached from elsewhere
		"":                    {"": false, "*": false, "localhost": false, "0.0.0.0": false},
		service.GatewayYes:    {"": true, "localhost": true},
		service.GatewayClient: {"": true, "*": true, "localhost": false, "127.0.0.2": true},
	} {
		l := newLab(t, func(o *Options) { o.GatewayPorts = gateway })
		s := l.session(nil)
		for host, wide := range want {
			ch, port := listener(t, s, &protocol.Target{Host: host})
			conn, err := net.Dial("tcp", "127.0.0.2:"+strconv.Itoa(port)) // another address
			if err == nil {
				conn.Close()
			}
			if (err == nil) != wide {
				t.Errorf("gateway %q, host %q: %v", gateway, host, err)
			}
			ch.Close(nil)
			collect(t, ch)
		}
		s.Close(nil)
	}
}

// A listener's end resets whoever waits there, and cancels the channels that wait; what was
// accepted goes on. A client that closes a channel that waits loses no connection.
func TestListenerEnds(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	ch, port := listener(t, s, &protocol.Target{Host: "localhost"})
	given := awaiting(t, s, ch)
	given.Close(nil)
	if r := collect(t, given); r.refused == nil || r.refused.Code != protocol.CodeCancelled {
		t.Errorf("%+v", r)
	}
	accepted := awaiting(t, s, ch)
	first := callPort(t, port)
	if !opened(accepted) {
		t.Fatal("not accepted")
	}
	second := callPort(t, port)
	ch.EOF(protocol.TypeStdin)
	collect(t, ch)
	if _, err := second.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("who waited saw %v", err)
	}
	io.WriteString(first, "still here")
	first.CloseWrite()
	accepted.EOF(protocol.TypeStdin)
	if r := collect(t, accepted); r.out != "still here" {
		t.Errorf("%+v", r)
	}
	ch, _ = listener(t, s, &protocol.Target{})
	waits := awaiting(t, s, ch)
	ch.Close(nil)
	if r := collect(t, waits); r.refused == nil || r.refused.Code != protocol.CodeCancelled &&
		r.refused.Code != protocol.CodeBadRequest {
		t.Errorf("%+v", r)
	}
	collect(t, ch)
}

// A helper that is killed ends its listener, and the socket that it leaves is replaced.
func TestListenHelperLost(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	on := &protocol.Target{Path: protocol.Bytes(filepath.Join(t.TempDir(), "socket"))}
	ch := start(t, s, protocol.Open{Service: authorized.Forward.Name, Listen: on})
	pid := (<-ch.Requests()).Message.(*protocol.Opened).PID
	helper, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	helper.Kill()
	if r := collect(t, ch); r.refused == nil || r.refused.Code != protocol.CodeInternal {
		t.Errorf("%+v", r)
	}
	testend.Gone(t, pid)
	if _, err := os.Lstat(string(on.Path)); err != nil {
		t.Error(err)
	}
	listener(t, s, on)
	if r := refusedListener(t, s, on); r.Code != protocol.CodeListenFailed { // somebody listens
		t.Errorf("%+v", r)
	}
}

// A session that has no link gives its ports to a new one of the same key, and one that has a link
// keeps them (FO7).
func TestListenTakesOver(t *testing.T) {
	l := newLab(t, nil)
	lost := l.resumer()
	raw := l.dial()
	if err := lost.attachOver(raw); err != nil {
		t.Fatal(err)
	}
	_, port := listener(t, lost.Session, &protocol.Target{Host: "localhost"})
	on := &protocol.Target{Host: "localhost", Port: port}
	path := &protocol.Target{Path: protocol.Bytes(filepath.Join(t.TempDir(), "socket"))}
	listener(t, lost.Session, path)
	s := l.session(nil)
	defer s.Close(nil)
	for _, on := range []*protocol.Target{on, path} {
		if r := refusedListener(t, s, on); r.Code != protocol.CodeListenFailed {
			t.Errorf("the port of a client that is there: %+v", r)
		}
	}
	raw.Close()
	l.until("the link is lost", func() bool {
		return l.sessions.Entries()[0].Session.Traffic().Waiting != nil ||
			l.sessions.Entries()[1].Session.Traffic().Waiting != nil
	})
	ch, got := listener(t, s, on)
	if got != port {
		t.Errorf("port %d, not %d", got, port)
	}
	listener(t, s, path)
	waits := awaiting(t, s, ch)
	callPort(t, port)
	if !opened(waits) {
		t.Error("the new session gets no connection")
	}
	lost.mustAttach()
	if r := refusedListener(t, lost.Session, on); r.Code != protocol.CodeListenFailed {
		t.Errorf("the port of the newer session: %+v", r)
	}
	lost.Close(nil)
}
