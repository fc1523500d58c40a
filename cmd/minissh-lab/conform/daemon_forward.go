package conform

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"minissh/protocol"
)

// forwardProbes are of connections that the daemon makes, and takes. The other end of each is here.
var forwardProbes = []Probe{
	{Rule: "FO1", Name: "bad-targets", What: tx("不合格式的目标：bad_request",
		"targets of another form: bad_request"), run: badTargets},
	{Rule: "FO2", Name: "group", What: tx("组结束了，里面的连接照旧；in 不能再用",
		"a group ends, and its connections go on; in is of no more use"), run: forwardGroup},
	{Rule: "FO2", Name: "no-group", What: tx("in 不是组：bad_request",
		"in that is not a group: bad_request"), run: func(t *trial) {
		k, port := t.forwards()
		running, _ := k.start("echo up; " + waits)
		for _, in := range []uint32{running, 4001} {
			k.refused(connect(port, in), protocol.CodeBadRequest)
		}
	}},
	{Rule: "FO3", Name: "refused", What: tx("没人听：connect_failed，说出原因",
		"nobody listens: connect_failed, with the reason"), run: func(t *trial) {
		k, _ := t.forwards()
		l, port := t.target()
		l.Close()
		k.refused(connect(port, 0), protocol.CodeConnectFailed)
		k.refused(&protocol.Open{Service: "forward",
			Connect: &protocol.Target{Path: protocol.Bytes(t.folder() + "/none")}},
			protocol.CodeConnectFailed)
	}},
	{Rule: "FO3", Name: "path", What: tx("Unix 套接字当目标", "a Unix socket as the target"),
		run: func(t *trial) {
			k, _ := t.forwards()
			path := t.folder() + "/s"
			l, err := net.Listen("unix", path)
			t.must(err)
			t.closes(l)
			channel, _ := k.begins(&protocol.Open{Service: "forward",
				Connect: &protocol.Target{Path: protocol.Bytes(path)}})
			k.echoes(channel, t.comes(l), "by path")
		}},
	{Rule: "FO4", Name: "half-close",
		What: tx("EOF 只关一个方向；两边都完了，EXIT exited 0",
			"EOF closes one direction; when both have ended: EXIT exited 0"), run: halfClose},
	{Rule: "FO4", Name: "their-half",
		What: tx("目标先说完：我们还能发", "the target ends first: the other direction goes on"),
		run: func(t *trial) {
			k, port := t.forwards()
			channel, peer := k.connects(port, 0)
			peer.CloseWrite()
			k.until(same("EOF STDOUT"), func(f protocol.Frame) bool {
				return f.Type == protocol.TypeEOF && f.Payload[0] == byte(protocol.TypeStdout)
			})
			k.send(frame(protocol.TypeStdin, channel, "still"),
				frame(protocol.TypeEOF, channel, "\x10"))
			t.hears(peer, "still")
			k.takesStatus(k.finish(channel), 0)
		}},
	{Rule: "FO4", Name: "reset", What: tx("目标 RST：CLOSE connection_broken",
		"the target resets: CLOSE connection_broken"), run: func(t *trial) {
		k, port := t.forwards()
		channel, peer := k.connects(port, 0)
		peer.SetLinger(0)
		peer.Close()
		if e := k.finish(channel); e.closed.Code != protocol.CodeConnectionBroken {
			t.fail(same("CLOSE connection_broken"), same(exitOr(e)))
		}
	}},
	{Rule: "FO4", Name: "close", What: tx("我们 CLOSE：连接被重置（RST）",
		"our CLOSE resets the connection"), run: func(t *trial) {
		k, port := t.forwards()
		channel, peer := k.connects(port, 0)
		k.send(frame(protocol.TypeClose, channel, "{}"))
		k.expect(protocol.TypeClose, channel)
		peer.SetReadDeadline(time.Now().Add(t.o.Patience))
		if _, err := peer.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.fail(tx("连接被重置", "connection reset"), same(fmt.Sprint(err)))
		}
	}},
	{Rule: "FO7", Name: "listens", What: tx("端口 0：它来选，OPENED 里有；结束就不听了",
		"port 0: it chooses, and OPENED has it; at its end nobody listens"), run: forwardListens},
	{Rule: "FO7", Name: "taken", What: tx("端口有人用：listen_failed",
		"a port that is taken: listen_failed"), run: func(t *trial) {
		k, port := t.forwards()
		k.refused(listen("localhost", port), protocol.CodeListenFailed)
	}},
	{Rule: "FO7", Name: "socket", What: tx("path：别人进不来，结束时删掉；没人听的旧套接字换掉",
		"path: its owner's alone, removed at the end; an old socket is replaced"),
		run: forwardSocket},
	{Rule: "FO8", Name: "accept", What: tx("accept：每次一个连接，OPENED 里有 from",
		"accept: a connection each, and OPENED has from"), run: forwardAccepts},
	{Rule: "FO8", Name: "listener-ends", What: tx("监听结束：等着的 accept 得到 cancelled",
		"the listener ends: accepts that wait are answered by cancelled"), run: func(t *trial) {
		k, _ := t.forwards()
		listener, _ := k.begins(listen("localhost", 0))
		waiting := k.open(accept("forward", listener))
		k.sync(nil)
		k.send(frame(protocol.TypeEOF, listener, "\x10"))
		if e := k.finish(waiting); e.closed.Code != protocol.CodeCancelled {
			t.fail(same("CLOSE cancelled"), same(exitOr(e)))
		}
	}},
	{Rule: "FO8", Name: "no-listener", What: tx("in 不是监听：bad_request",
		"in that is not a listener: bad_request"), run: func(t *trial) {
		k, _ := t.forwards()
		group, _ := k.begins(&protocol.Open{Service: "forward"})
		for _, in := range []uint32{group, 4001} {
			k.refused(accept("forward", in), protocol.CodeBadRequest)
		}
	}},
	{Rule: "FO9", Name: "agent", What: tx("SSH_AUTH_SOCK 连过来的，由 accept 拿走",
		"what connects to SSH_AUTH_SOCK is taken by accept"), run: agentListener},
	{Rule: "FO9", Name: "no-agent", What: tx("agent 不是那样的监听：bad_request",
		"agent that is not such a listener: bad_request"), run: func(t *trial) {
		k, _ := t.forwards()
		k.begins(&protocol.Open{Service: "agent"})
		group, _ := k.begins(&protocol.Open{Service: "forward"})
		for _, in := range []uint32{group, 4001} {
			o := command("echo hi")
			o.Agent = int64(in)
			k.refused(o, protocol.CodeBadRequest)
		}
	}},
}

func connect(port int, in uint32) *protocol.Open {
	return &protocol.Open{Service: "forward", In: int64(in),
		Connect: &protocol.Target{Host: "127.0.0.1", Port: port}}
}

func listen(host string, port int) *protocol.Open {
	return &protocol.Open{Service: "forward", Listen: &protocol.Target{Host: host, Port: port}}
}

func accept(service string, listener uint32) *protocol.Open {
	return &protocol.Open{Service: service, Accept: true, In: int64(listener)}
}

// forwards is a link to a daemon on this machine that makes connections, and a port here that
// takes them.
func (t *trial) forwards() (*talk, int) {
	t.folder() // or not reached
	k := t.login(nil)
	group, _ := k.begins(&protocol.Open{Service: "forward"}) // or not reached
	k.send(frame(protocol.TypeClose, group, "{}"))
	k.expect(protocol.TypeClose, group)
	_, port := t.target()
	return k, port
}

// target is a port of ours.
func (t *trial) target() (net.Listener, int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	t.must(err)
	t.closes(l)
	t.listener = l
	return l, l.Addr().(*net.TCPAddr).Port
}

// comes takes the connection that the daemon has made.
func (t *trial) comes(l net.Listener) net.Conn {
	l.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Now().Add(t.o.Patience))
	conn, err := l.Accept()
	if err != nil {
		t.fail(tx("守护进程连过来", "a connection of the daemon's"), ended(err))
	}
	t.closes(conn)
	return conn
}

// connects opens a connection to our port.
func (k *talk) connects(port int, in uint32) (uint32, *net.TCPConn) {
	channel, _ := k.begins(connect(port, in))
	return channel, k.t.comes(k.t.listener).(*net.TCPConn)
}

// hears wants these bytes from a peer, and if it is all then its end.
func (t *trial) hears(peer net.Conn, want string) {
	peer.SetReadDeadline(time.Now().Add(t.o.Patience))
	got, err := io.ReadAll(peer)
	if err != nil || string(got) != want {
		t.fail(same(fmt.Sprintf("%q, FIN", want)), same(fmt.Sprintf("%.80q, %v", got, err)))
	}
}

// echoes has a peer answer what we send.
func (k *talk) echoes(channel uint32, peer net.Conn, text string) {
	k.send(frame(protocol.TypeStdin, channel, text+"\n"))
	got := make([]byte, len(text)+1)
	peer.SetDeadline(time.Now().Add(k.t.o.Patience))
	if _, err := io.ReadFull(peer, got); err != nil || string(got) != text+"\n" {
		k.t.fail(same(fmt.Sprintf("%q", text)), same(fmt.Sprintf("%.80q, %v", got, err)))
	}
	peer.Write([]byte("to " + text + "\n"))
	if back := k.line(channel); back != "to "+text {
		k.t.fail(same(fmt.Sprintf("%q", "to "+text)), same(fmt.Sprintf("%.80q", back)))
	}
}

func badTargets(t *trial) {
	k, port := t.forwards()
	for _, o := range []protocol.Open{
		{Connect: &protocol.Target{}},
		{Connect: &protocol.Target{Host: "127.0.0.1"}},
		{Connect: &protocol.Target{Host: "127.0.0.1", Port: 65_536}},
		{Connect: &protocol.Target{Host: "127.0.0.1 ", Port: port}},
		{Connect: &protocol.Target{Host: strings.Repeat("a", 256), Port: port}},
		{Connect: &protocol.Target{Host: "a", Port: port, Path: protocol.Bytes("/s")}},
		{Connect: &protocol.Target{Path: protocol.Bytes("relative")}},
		{Connect: &protocol.Target{Path: protocol.Bytes("/" + strings.Repeat("a", 1024))}},
		{Listen: &protocol.Target{Host: "localhost", Port: -1}},
		{Connect: &protocol.Target{Host: "127.0.0.1", Port: port},
			Listen: &protocol.Target{Host: "localhost"}},
		{Accept: true},
	} {
		o.Service = "forward"
		k.refused(&o, protocol.CodeBadRequest)
	}
}

func forwardGroup(t *trial) {
	k, port := t.forwards()
	group, _ := k.begins(&protocol.Open{Service: "forward"})
	channel, peer := k.connects(port, group)
	k.echoes(channel, peer, "one")
	k.send(frame(protocol.TypeEOF, group, "\x10"))
	k.finish(group)
	k.echoes(channel, peer, "two")
	k.refused(connect(port, group), protocol.CodeBadRequest)
}

func halfClose(t *trial) {
	k, port := t.forwards()
	channel, peer := k.connects(port, 0)
	k.send(frame(protocol.TypeStdin, channel, "all of it"),
		frame(protocol.TypeEOF, channel, "\x10"))
	t.hears(peer, "all of it")
	peer.Write([]byte("the answer"))
	peer.Close()
	e := k.finish(channel)
	k.takesStatus(e, 0)
	if string(e.out) != "the answer" || len(e.err) > 0 {
		t.fail(same(`STDOUT "the answer"`), same(fmt.Sprintf("%.80q, %.80q", e.out, e.err)))
	}
}

func forwardListens(t *trial) {
	k, _ := t.forwards()
	listener, opened := k.begins(listen("localhost", 0))
	if opened.Port < 1 {
		t.fail(tx("OPENED 里有 port", "port in OPENED"), same(fmt.Sprint(opened.Port)))
	}
	k.send(frame(protocol.TypeEOF, listener, "\x10"))
	k.finish(listener)
	if conn, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", opened.Port)); err == nil {
		conn.Close()
		t.fail(tx("结束以后没人听", "nobody listens after its end"),
			tx("还有人听", "somebody does"))
	}
}

func forwardSocket(t *trial) {
	k, _ := t.forwards()
	path := t.folder() + "/s"
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	t.must(err)
	old.SetUnlinkOnClose(false)
	old.Close()
	listener, _ := k.begins(&protocol.Open{Service: "forward",
		Listen: &protocol.Target{Path: protocol.Bytes(path)}})
	info, err := os.Stat(path)
	t.must(err)
	if info.Mode().Perm()&0o077 != 0 {
		t.fail(same("0600"), same(fmt.Sprintf("%#o", info.Mode().Perm())))
	}
	channel := k.open(accept("forward", listener))
	conn, err := net.Dial("unix", path)
	t.must(err)
	t.closes(conn)
	k.expect(protocol.TypeOpened, channel)
	k.send(frame(protocol.TypeEOF, listener, "\x10"))
	k.finish(listener)
	k.echoes(channel, conn, "it goes on")
	if _, err := os.Lstat(path); err == nil {
		t.fail(tx("套接字删掉了", "the socket is removed"), tx("它还在", "it is there"))
	}
}

// forwardAccepts has two wait; which of two that were asked for at once comes first is not looked
// at.
func forwardAccepts(t *trial) {
	k, _ := t.forwards()
	listener, opened := k.begins(listen("localhost", 0))
	waiting := []uint32{k.open(accept("forward", listener)), k.open(accept("forward", listener))}
	for len(waiting) > 0 {
		conn, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", opened.Port))
		if err != nil {
			t.fail(tx("它在听", "it listens"), same(err.Error()))
		}
		t.closes(conn)
		f := k.until(same("OPENED"), func(f protocol.Frame) bool {
			return f.Type == protocol.TypeOpened && slices.Contains(waiting, f.Channel)
		})
		waiting = slices.DeleteFunc(waiting, func(c uint32) bool { return c == f.Channel })
		var o protocol.Opened
		f.Decode(&o) // order has looked at it
		if o.From != conn.LocalAddr().String() {
			t.fail(same("from "+conn.LocalAddr().String()), same(fmt.Sprintf("%.60q", o.From)))
		}
		k.echoes(f.Channel, conn, "as a client")
	}
}

func agentListener(t *trial) {
	k, _ := t.forwards()
	listener, opened := k.begins(&protocol.Open{Service: "agent"})
	o := command(`echo "$SSH_AUTH_SOCK"`)
	o.Agent = int64(listener)
	t.expectOutput(k.run(o, ""), string(opened.Path)+"\n", 0)
	channel := k.open(accept("agent", listener))
	conn, err := net.Dial("unix", string(opened.Path))
	if err != nil {
		t.fail(tx("OPENED 里 path 的套接字", "the socket of OPENED's path"), same(err.Error()))
	}
	t.closes(conn)
	k.expect(protocol.TypeOpened, channel)
	k.echoes(channel, conn, "agent")
	k.send(frame(protocol.TypeClose, listener, "{}"))
	k.expect(protocol.TypeClose, listener)
	if _, err := os.Lstat(string(opened.Path)); err == nil {
		t.fail(tx("套接字删掉了", "the socket is removed"), tx("它还在", "it is there"))
	}
}
