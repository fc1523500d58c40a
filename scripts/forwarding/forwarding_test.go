//go:build linux

// Package forwarding_test carries connections through minissh and minisshd as they are installed:
// those of programs that people use (python3's web server, curl), and of the test's own.
package forwarding_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
	"minissh/scripts/wire"
)

func TestMain(m *testing.M) { testhost.Main(m) }

// freePort is one that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// deafPort is a port that refuses connections until the test ends: it is taken, so that nobody else
// can be given it, and nobody listens.
func deafPort(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	at, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(at.(*unix.SockaddrInet4).Port)
}

// serve is serveOn for a TCP port, which it gives.
func serve(t *testing.T, each func(net.Conn)) string {
	t.Helper()
	at := serveOn(t, "tcp", "127.0.0.1:0", each)
	return strconv.Itoa(at.(*net.TCPAddr).Port)
}

// serveOn has a function called for each connection, in a goroutine of its own, until the test
// ends.
func serveOn(t *testing.T, network, address string, each func(net.Conn)) net.Addr {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { l.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { defer conn.Close(); each(conn) })
		}
	})
	return l.Addr()
}

// forwarding is a minissh -N that listens on the first port.
func forwarding(t *testing.T, p *testhost.Place, args ...string) *testhost.Daemon {
	t.Helper()
	return forwardingBy(t, p, "box", args...)
}

// forwardingBy is forwarding through a host of another name.
func forwardingBy(t *testing.T, p *testhost.Place, host string, args ...string) *testhost.Daemon {
	t.Helper()
	d := p.Start(p.Command("minissh", append(append([]string{"-v", "-N"}, args...), host)...))
	d.Log.Await(t, "listening on")
	return d
}

func dial(t *testing.T, port string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// python3's web server and curl, through -L; and without curl, through -W.
func TestWeb(t *testing.T) {
	python, curl := testhost.Need(t, "python3"), testhost.Need(t, "curl")
	p := testhost.New(t)
	p.Daemon()
	big := make([]byte, 8<<20)
	random := rand.NewChaCha8([32]byte{1})
	random.Read(big)
	p.Write("www/big", string(big))
	web := p.Start(p.Command(python, "-u", "-m", "http.server", "--bind", "127.0.0.1",
		"--directory", p.Path("www"), "0"))
	web.Out.Await(t, "port ")
	var port int
	_, rest, _ := strings.Cut(web.Out.String(), "port ")
	if _, err := fmt.Sscan(rest, &port); err != nil {
		t.Fatal(err)
	}
	here := freePort(t)
	forwarding(t, p, "-L", fmt.Sprintf("%s:localhost:%d", here, port))
	if r := p.Run(curl, "-s", "-o", "got", "http://127.0.0.1:"+here+"/big"); r.Code != 0 ||
		p.Read("got") != string(big) {
		t.Errorf("curl: %+v", r)
	}
	cmd := p.Command("minissh", "-W", fmt.Sprintf("127.0.0.1:%d", port), "box")
	cmd.Stdin = strings.NewReader("GET /big HTTP/1.0\r\n\r\n")
	if r := p.RunCmd(cmd); r.Code != 0 || r.Err != "" ||
		!strings.HasSuffix(r.Out, "\r\n\r\n"+string(big)) {
		t.Errorf("-W: %d, %d bytes, %s", r.Code, len(r.Out), r.Err)
	}
}

// curl through -D, in each version of SOCKS, with names that are looked up here and there.
func TestSOCKS(t *testing.T) {
	curl := testhost.Need(t, "curl")
	p := testhost.New(t)
	p.Daemon()
	web := serve(t, func(conn net.Conn) {
		bufio.NewReader(conn).ReadString('\n')
		io.WriteString(conn, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	})
	nobody, here := deafPort(t), freePort(t)
	f := forwarding(t, p, "-D", here)
	for _, kind := range []string{"socks4", "socks4a", "socks5", "socks5h"} {
		proxy := kind + "://127.0.0.1:" + here
		if r := p.Run(curl, "-s", "--proxy", proxy, "http://localhost:"+web+"/"); r.Code != 0 ||
			r.Out != "hello" {
			t.Errorf("%s: %+v", kind, r)
		}
		if r := p.Run(curl, "-s", "--proxy", proxy, "http://127.0.0.1:"+nobody+
			"/"); r.Code != 97 { // the proxy said no
			t.Errorf("%s, refused: %+v", kind, r)
		}
	}
	f.Log.Await(t, "could not connect")
	conn := dial(t, here)
	io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("HTTP is answered: %d, %v", n, err)
	}
	f.Log.Await(t, "what came is not SOCKS")
}

// What one sends arrives, to the byte, in both directions at once.
func TestStream(t *testing.T) {
	size := int64(100 << 20)
	if testing.Short() {
		size = 10 << 20
	}
	p := testhost.New(t)
	p.Daemon()
	echo := serve(t, func(conn net.Conn) { io.Copy(conn, conn) })
	here := freePort(t)
	forwarding(t, p, "-L", here+":127.0.0.1:"+echo)
	conn := dial(t, here)
	sent, got := sha256.New(), sha256.New()
	go func() {
		random := rand.NewChaCha8([32]byte{2})
		io.Copy(io.MultiWriter(conn, sent), io.LimitReader(random, size))
		conn.CloseWrite()
	}()
	n, err := io.Copy(got, conn)
	if err != nil || n != size || !bytes.Equal(got.Sum(nil), sent.Sum(nil)) {
		t.Errorf("%d of %d bytes, %v, equal: %v", n, size, err,
			bytes.Equal(got.Sum(nil), sent.Sum(nil)))
	}
}

// A connection outlives its link: every byte arrives once, though the link is lost five times.
func TestLostLinks(t *testing.T) {
	const size, times = 24 << 20, 5
	p := testhost.New(t)
	d := p.Daemon()
	relay, err := wire.Listen("127.0.0.1:"+d.Port, func(int) wire.Fate { return wire.Fate{} })
	p.Must(err)
	t.Cleanup(relay.Close)
	p.Knows("cut", relay.Port())
	echo := serve(t, func(conn net.Conn) { io.Copy(conn, conn) })
	here := freePort(t)
	forwardingBy(t, p, "cut", "-L", here+":127.0.0.1:"+echo)
	conn := dial(t, here)
	text := make([]byte, size)
	random := rand.NewChaCha8([32]byte{3})
	random.Read(text)
	ways := append(wire.OfKind("reset"), wire.OfKind("end")...)
	var got bytes.Buffer
	for i := range times + 1 { // each part comes back over the next link
		part := text[i*size/(times+1) : (i+1)*size/(times+1)]
		go conn.Write(part)
		if i < times {
			io.CopyN(&got, conn, int64(len(part)/3))
			if relay.Cut(wire.Cut{Way: ways[i%len(ways)]}) != 1 {
				t.Error("there was no link to cut")
			}
			part = part[len(part)/3:]
		}
		if n, err := io.CopyN(&got, conn, int64(len(part))); err != nil {
			t.Fatalf("%d of %d bytes of part %d: %v", n, len(part), i, err)
		}
	}
	conn.CloseWrite()
	if rest, err := io.ReadAll(conn); err != nil || len(rest) != 0 ||
		!bytes.Equal(got.Bytes(), text) {
		t.Errorf("%d bytes too many, %v, equal: %v", len(rest), err,
			bytes.Equal(got.Bytes(), text))
	}
	if links := relay.Links(); links <= times {
		t.Errorf("only %d links", links)
	}
}

// Each direction ends by itself, and a reset on one side is one on the other.
func TestEnds(t *testing.T) {
	p := testhost.New(t)
	p.Daemon()
	after := serve(t, func(conn net.Conn) {
		text, _ := io.ReadAll(conn)
		conn.Write(append([]byte("after "), text...))
	})
	got := make(chan string, 1)
	before := serve(t, func(conn net.Conn) {
		conn.Write([]byte("first"))
		conn.(*net.TCPConn).CloseWrite()
		text, _ := io.ReadAll(conn)
		got <- string(text)
	})
	resets := serve(t, func(conn net.Conn) {
		conn.Read(make([]byte, 1))
		conn.(*net.TCPConn).SetLinger(0)
	})
	seen := make(chan error, 1)
	watches := serve(t, func(conn net.Conn) {
		conn.Write([]byte("x"))
		_, err := conn.Read(make([]byte, 1))
		seen <- err
	})
	a, b, c, d := freePort(t), freePort(t), freePort(t), freePort(t)
	forwarding(t, p, "-L", a+":127.0.0.1:"+after, "-L", b+":127.0.0.1:"+resets,
		"-L", c+":127.0.0.1:"+watches, "-L", d+":127.0.0.1:"+before)
	conn := dial(t, a)
	conn.Write([]byte("us"))
	conn.CloseWrite()
	if text, err := io.ReadAll(conn); string(text) != "after us" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	conn = dial(t, d)
	conn.SetDeadline(time.Now().Add(testhost.Patience))
	if text, err := io.ReadAll(conn); string(text) != "first" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	conn.Write([]byte("then us"))
	conn.CloseWrite()
	if text := <-got; text != "then us" {
		t.Errorf("%q", text)
	}
	conn = dial(t, b)
	conn.Write([]byte("x"))
	if _, err := conn.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("a reset there is %v here", err)
	}
	conn = dial(t, c)
	conn.Read(make([]byte, 1))
	conn.SetLinger(0)
	conn.Close()
	if err := <-seen; err == nil || err == io.EOF {
		t.Errorf("a reset here is %v there", err)
	}
}

// Unix sockets on either side; the one here is its owner's alone.
func TestUnixSockets(t *testing.T) {
	p := testhost.New(t)
	p.Daemon()
	serveOn(t, "unix", p.Path("there"), func(conn net.Conn) { io.Copy(conn, conn) })
	forwarding(t, p, "-L", p.Path("here")+":"+p.Path("there"))
	if info, err := os.Stat(p.Path("here")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	conn, err := net.Dial("unix", p.Path("here"))
	if err != nil {
		t.Fatal(err)
	}
	conn.Write([]byte("over"))
	conn.(*net.UnixConn).CloseWrite()
	if text, err := io.ReadAll(conn); string(text) != "over" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

// What goes wrong is told, and how the client ends.
func TestFailures(t *testing.T) {
	p := testhost.New(t)
	d := p.Daemon()
	taken := serve(t, func(net.Conn) {})
	nobody := deafPort(t)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-W", "127.0.0.1:" + nobody, "box"}, 255,
			`minissh: box could not connect: "127.0.0.1:` + nobody + `: connection refused"`},
		{[]string{"-W", "/no/such", "box"}, 255, "no such file or directory"},
		{[]string{"-L", taken + ":127.0.0.1:1", "box", "exit 3"}, 3,
			"minissh: cannot listen on port " + taken + ": address already in use\n" +
				"minissh: hint: another program may have the port; -L "},
		{[]string{"-o", "ExitOnForwardFailure=yes", "-L", taken + ":127.0.0.1:1", "box",
			"exit 3"}, 255, "cannot listen on port " + taken},
		{[]string{"-o", "ClearAllForwardings=yes", "-L", taken + ":127.0.0.1:1", "box",
			"exit 3"}, 3, ""},
	} {
		r := p.Run("minissh", append([]string{"-n"}, c.args...)...)
		if r.Code != c.code || !strings.Contains(r.Err, c.says) || c.says == "" && r.Err != "" {
			t.Errorf("%v: %+v", c.args, r)
		}
	}
	here := freePort(t)
	f := forwarding(t, p, "-L", here+":127.0.0.1:"+nobody)
	for range 2 { // it goes on after the first
		if _, err := dial(t, here).Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Errorf("the refused connection ends by %v", err)
		}
	}
	f.Log.Await(t, "could not connect")
	d.Log.Await(t, "connect_failed")
}

// -f returns when the port is open. When its command has ended, minissh waits for the connections
// that are open, and takes no more.
func TestBackground(t *testing.T) {
	p := testhost.New(t)
	d := p.Daemon()
	echo := serve(t, func(conn net.Conn) { io.Copy(conn, conn) })
	here := freePort(t)
	cmd := p.Command("minissh", "-f", "-L", here+":127.0.0.1:"+echo, "box",
		"while ! test -e "+p.Path("stop")+"; do sleep 0.1; done")
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	p.Must(err)
	defer null.Close()
	cmd.Stdout, cmd.Stderr = null, null // which what is in the background keeps
	if r := p.RunCmd(cmd); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	conn := dial(t, here)
	again := func() {
		t.Helper()
		conn.Write([]byte("x"))
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Error(err)
		}
	}
	again()
	p.Write("stop", "")
	d.Log.Await(t, "Command ended")
	again()
	testend.Until(t, "nobody listens", func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+here)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	again()
	conn.CloseWrite()
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
	d.Log.Await(t, "Disconnected")
}

// Many connections, more at once than a session has channels: all of them are served.
func TestManyConnections(t *testing.T) {
	many := 5000
	if testing.Short() || testhost.Race() {
		many = 500
	}
	p := testhost.New(t)
	p.Daemon()
	echo := serve(t, func(conn net.Conn) { io.Copy(conn, conn) })
	here := freePort(t)
	forwarding(t, p, "-L", here+":127.0.0.1:"+echo)
	var all sync.WaitGroup
	next := make(chan int)
	for range 200 {
		all.Go(func() {
			for i := range next {
				conn, err := net.Dial("tcp", "127.0.0.1:"+here)
				if err != nil {
					t.Error(err)
					continue
				}
				text := fmt.Sprintf("number %d", i)
				io.WriteString(conn, text)
				conn.(*net.TCPConn).CloseWrite()
				if got, err := io.ReadAll(conn); err != nil || string(got) != text {
					t.Errorf("%q, %v, instead of %q", got, err, text)
				}
				conn.Close()
			}
		})
	}
	for i := range many {
		next <- i
	}
	close(next)
	all.Wait()
}
