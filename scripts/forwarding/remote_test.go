//go:build linux

package forwarding_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
	"minissh/scripts/wire"
)

// remote is a minissh -N for which the other side listens, and the port that it got last.
func remote(t *testing.T, p *testhost.Place, host string, args ...string) (*testhost.Daemon,
	string) {
	t.Helper()
	d := p.Start(p.Command("minissh", append(append([]string{"-v", "-N"}, args...), host)...))
	testend.Until(t, "all ports are open", func() bool {
		return strings.Count(d.Log.String(), "remote forward success") ==
			strings.Count(strings.Join(args, " "), "-R ")
	})
	_, rest, _ := strings.Cut(d.Log.String(), "Allocated port ")
	port, _, _ := strings.Cut(rest, " ")
	return d, port
}

// website answers every request.
func website(t *testing.T) (port string) {
	return serve(t, func(conn net.Conn) {
		bufio.NewReader(conn).ReadString('\n')
		io.WriteString(conn, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	})
}

// curl on the other side reaches a web server here: through -R, with the port told in ssh's words;
// in a command, which begins when the port is open; and through -R without a target, by SOCKS.
func TestRemoteWeb(t *testing.T) {
	curl := testhost.Need(t, "curl")
	p := testhost.New(t)
	p.Daemon()
	web, nobody := website(t), deafPort(t)
	f, port := remote(t, p, "box", "-R", "0:localhost:"+web)
	if want := "\nAllocated port " + port + " for remote forward to localhost:" + web +
		"\n"; !strings.Contains("\n"+f.Log.String(), want) {
		t.Errorf("no %q in %s", want, f.Log)
	}
	if r := p.Run(curl, "-s", "http://127.0.0.1:"+port+"/"); r.Out != "hello" {
		t.Errorf("%+v", r)
	}
	there := freePort(t)
	if r := p.Run("minissh", "-R", there+":127.0.0.1:"+web, "box",
		curl+" -s http://localhost:"+there+"/"); r.Code != 0 || r.Out != "hello" || r.Err != "" {
		t.Errorf("a command: %+v", r)
	}
	f, port = remote(t, p, "box", "-R", "0", "-o", "PermitRemoteOpen=127.0.0.1:"+web+
		" localhost:* 127.0.0.1:"+nobody)
	for _, kind := range []string{"socks4", "socks4a", "socks5", "socks5h"} {
		proxy := kind + "://127.0.0.1:" + port
		r := p.Run(curl, "-s", "--proxy", proxy, "http://127.0.0.1:"+web+"/")
		if r.Out != "hello" {
			t.Errorf("%s: %+v", kind, r)
		}
		if r := p.Run(curl, "-s", "--proxy", proxy, "http://127.0.0.1:"+nobody+
			"/"); r.Code != 97 { // the proxy said no
			t.Errorf("%s, refused: %+v", kind, r)
		}
	}
	if r := p.Run(curl, "-s", "--proxy", "socks5://127.0.0.1:"+port,
		"http://127.0.0.2:"+web+"/"); r.Code != 97 {
		t.Errorf("not permitted: %+v", r)
	}
	f.Log.Await(t, "PermitRemoteOpen does not let")
	conn := dial(t, port)
	io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("HTTP is answered: %d, %v", n, err)
	}
}

// Unix sockets on either side, and the ends of both directions.
func TestRemoteSockets(t *testing.T) {
	p := testhost.New(t)
	p.Daemon()
	serveOn(t, "unix", p.Path("here"), func(conn net.Conn) {
		text, _ := io.ReadAll(conn)
		conn.Write(append([]byte("after "), text...))
	})
	f, port := remote(t, p, "box", "-R", p.Path("there")+":"+p.Path("here"), "-R",
		"0:"+p.Path("here"))
	for network, address := range map[string]string{"unix": p.Path("there"),
		"tcp": "127.0.0.1:" + port} {
		conn, err := net.Dial(network, address)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, "us")
		conn.(interface{ CloseWrite() error }).CloseWrite()
		if text, err := io.ReadAll(conn); string(text) != "after us" || err != nil {
			t.Errorf("%s: %q, %v", network, text, err)
		}
		conn.Close()
	}
	if info, err := os.Stat(p.Path("there")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v", err)
	}
	p.Must(f.Cmd.Process.Signal(os.Interrupt))
	<-f.Done
	testend.Until(t, "the socket is gone", func() bool {
		_, err := os.Lstat(p.Path("there"))
		return os.IsNotExist(err)
	})
}

// What goes wrong is told, and how the client ends.
func TestRemoteFailures(t *testing.T) {
	p := testhost.New(t)
	d := p.Daemon()
	taken := serve(t, func(net.Conn) {})
	nobody := deafPort(t)
	failed := "minissh: remote port forwarding failed for listen port " + taken + `: "localhost:` +
		taken + ": address already in use\"\nminissh: hint: -R 0:a:1 takes a free port"
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-R", taken + ":a:1", "box", "exit 3"}, 3, failed},
		{[]string{"-o", "ExitOnForwardFailure=yes", "-R", taken + ":a:1", "box", "exit 3"}, 255,
			failed},
		{[]string{"-o", "ClearAllForwardings=yes", "-R", taken + ":a:1", "box", "exit 3"}, 3, ""},
		{[]string{"-R", "relative/path:a:1", "box", "exit 3"}, 3,
			`failed for listen path "relative/path": `},
	} {
		r := p.Run("minissh", append([]string{"-n"}, c.args...)...)
		if r.Code != c.code || !strings.Contains(r.Err, c.says) || c.says == "" && r.Err != "" {
			t.Errorf("%v: %+v", c.args, r)
		}
	}
	f, port := remote(t, p, "box", "-R", "0:127.0.0.1:"+nobody)
	for range 2 { // it goes on after the first
		if _, err := dial(t, port).Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Errorf("the refused connection ends by %v", err)
		}
	}
	f.Log.Await(t, `cannot connect to "127.0.0.1:`+nobody+`", for a connection to "`+port+
		`" of box: connection refused`)
	d.Log.Await(t, "how=cancelled")
}

// A connection and its port outlive a lost link. A client that is killed gives its port to the next
// one at once.
func TestRemoteLost(t *testing.T) {
	p := testhost.New(t)
	d := p.Daemon()
	relay, err := wire.Listen("127.0.0.1:"+d.Port, func(int) wire.Fate { return wire.Fate{} })
	p.Must(err)
	t.Cleanup(relay.Close)
	p.Knows("cut", relay.Port())
	echo := serve(t, func(conn net.Conn) { io.Copy(conn, conn) })
	f, port := remote(t, p, "cut", "-R", "0:127.0.0.1:"+echo)
	conn := dial(t, port)
	says := func(conn net.Conn, text string) {
		t.Helper()
		io.WriteString(conn, text)
		got := make([]byte, len(text))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	says(conn, "before")
	for range 3 {
		if relay.Cut(wire.Cut{Way: wire.OfKind("reset")[0]}) != 1 {
			t.Error("there was no link to cut")
		}
		says(conn, "after")
		says(dial(t, port), "another")
	}
	p.Must(f.Cmd.Process.Kill())
	<-f.Done
	testend.Until(t, "the daemon knows", func() bool {
		return strings.Count(d.Log.String(), "Link lost") == 4
	})
	remote(t, p, "box", "-o", "ExitOnForwardFailure=yes", "-R", port+":127.0.0.1:"+echo)
	says(dial(t, port), "the next")
}

// Many connections at once through one port: each is served, another port has its turn, and a
// connection that takes nothing holds up nobody.
func TestRemoteMany(t *testing.T) {
	many := 2000
	if testing.Short() || testhost.Race() {
		many = 200
	}
	p := testhost.New(t)
	p.Daemon()
	echo := serve(t, func(conn net.Conn) { io.Copy(conn, conn) })
	_, port := remote(t, p, "box", "-R", "0:127.0.0.1:"+echo)
	stuck := dial(t, port)
	stuck.SetWriteBuffer(4 << 10)
	go func() {
		for {
			if _, err := stuck.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}()
	var all sync.WaitGroup
	next := make(chan int)
	for range 100 {
		all.Go(func() {
			for i := range next {
				conn, err := net.Dial("tcp", "127.0.0.1:"+port)
				if err != nil {
					t.Error(err)
					continue
				}
				text := fmt.Sprintf("number %s", strconv.Itoa(i))
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
