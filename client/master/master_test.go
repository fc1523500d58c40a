//go:build linux || darwin

package master

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/testend"
)

func messages() *report.Messages { return report.New(io.Discard, new(options.Options)) }

// asked notes the forwards that are asked for.
type asked struct {
	mu   sync.Mutex
	said []string
	err  error
}

func (a *asked) note(what string, f *options.Forward) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.said = append(a.said, fmt.Sprintf("%s %+v", what, *f))
	return 4711, a.err
}

func (a *asked) Add(_ context.Context, f *options.Forward) (int, error) { return a.note("add", f) }

func (a *asked) Cancel(f *options.Forward) error {
	_, err := a.note("cancel", f)
	return err
}

// take is what was noted so far.
func (a *asked) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	said := a.said
	a.said = nil
	return said
}

func ask(command, path string) (string, error) {
	return Ask(&options.Options{Control: command, ControlPath: path}, io.Discard)
}

// own makes a socket in a directory of the test.
func own(t *testing.T, path string, end func()) *Owner {
	t.Helper()
	return owns(t, path, new(asked), end)
}

func owns(t *testing.T, path string, noted *asked, end func()) *Owner {
	t.Helper()
	o, err := Own(path, messages(), noted, nil, end)
	if err != nil || o == nil {
		t.Fatalf("%v, %v", o, err)
	}
	t.Cleanup(o.Stop)
	return o
}

func TestMaster(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if _, err := ask("check", path); err == nil ||
		!strings.HasPrefix(err.Error(), "Control socket connect(") {
		t.Errorf("nobody answers: %v", err)
	}
	ended := make(chan struct{})
	own(t, path, func() { close(ended) })
	if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0o600 ||
		info.Mode()&os.ModeSocket == 0 {
		t.Errorf("%v, %v", info, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("more than the socket is there: %v", left)
	}
	said, err := ask("check", path)
	if want := fmt.Sprintf("Master running (pid=%d)", os.Getpid()); said != want || err != nil {
		t.Errorf("%q, %v", said, err)
	}
	for _, command := range []string{"forward", "cancel", "proxy"} {
		if _, err := ask(command, path); err == nil {
			t.Errorf("-O %s is answered", command)
		}
	}
	if second, err := Own(path, messages(), new(asked), nil, nil); second != nil || err != nil {
		t.Errorf("a second owner: %v, %v", second, err)
	}
	if said, err := ask("exit", path); said != "Exit request sent." || err != nil {
		t.Errorf("%q, %v", said, err)
	}
	<-ended
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

// A socket that nobody owns any more is replaced; what is not a socket stays.
func TestStale(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	old, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	old.(*net.UnixListener).SetUnlinkOnClose(false)
	old.Close()
	o := own(t, path, nil)
	if said, err := ask("stop", path); said != "Stop listening request sent." || err != nil {
		t.Errorf("%q, %v", said, err)
	}
	testend.Until(t, "the socket goes away", func() bool {
		_, err := os.Lstat(path)
		return os.IsNotExist(err)
	})
	o.Stop()
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if second, err := Own(path, messages(), new(asked), nil, nil); second != nil {
		t.Errorf("a file is taken for a socket: %v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "mine" {
		t.Errorf("the file holds %q", text)
	}
}

// Whatever is sent, messages are bounded, and the next one is answered.
func TestHostile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	own(t, path, nil)
	for _, sent := range []string{"\xff\xff\xff\xff\x00\x00\x00\x01",
		"\x00\x00\x00\x00\x00\x00\x00\x00",
		"\x00\x00\x00\x08\x00\x00\x00\x01\x00\x00\x00\x05", "\x00\x00\x00\x04\x10\x00\x00\x04"} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, sent)
		conn.(*net.UnixConn).CloseWrite()
		io.Copy(io.Discard, conn)
		conn.Close()
	}
	if _, err := ask("check", path); err != nil {
		t.Error(err)
	}
	kind, body, err := readMessage(bytes.NewReader([]byte(
		"\x00\x00\x00\x0e\x80\x00\x00\x03\x00\x00\x00\x07\x00\x00\x00\x03no")))
	if kind != refused || body.number() != 7 || body.text() != "" || !body.bad || err != nil {
		t.Errorf("%x, %+v, %v", kind, body, err)
	}
}

// Forwards are asked for and cancelled by us and by ssh, in the same words; a refusal is told,
// quoted.
func TestForwards(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	noted := new(asked)
	owns(t, path, noted, nil)
	web := protocol.Target{Host: "web", Port: 80}
	o := &options.Options{Control: "forward", ControlPath: path,
		LocalForwards: []*options.Forward{{Bind: "", BindGiven: true, Port: 1, Target: web},
			{Path: "/here", Target: protocol.Target{Path: protocol.Bytes("/there")}}},
		DynamicForwards: []*options.Forward{{Port: 2, Dynamic: true}},
		RemoteForwards: []*options.Forward{{Remote: true, Target: web},
			{Remote: true, Bind: "::1", BindGiven: true, Port: 3, Dynamic: true}}}
	var ports bytes.Buffer
	if said, err := Ask(o, &ports); said != "" || err != nil || ports.String() != "4711\n" {
		t.Errorf("%q, %v, %q", said, err, ports.String())
	}
	o.Control = "cancel"
	if said, err := Ask(o, io.Discard); said != "" || err != nil {
		t.Errorf("%q, %v", said, err)
	}
	ours := noted.take()
	if len(ours) != 10 || !slices.Contains(ours, fmt.Sprintf("add %+v", *o.LocalForwards[1])) {
		t.Errorf("%q", ours)
	}
	if ssh, err := exec.LookPath("ssh"); err == nil {
		for _, command := range []string{"forward", "cancel"} {
			out, err := exec.Command(ssh, "-F", "none", "-S", path, "-O", command,
				"-L", "*:1:web:80", "-L", "/here:/there", "-R", "0:web:80", "-R", "[::1]:3",
				"-D", "2", "h").CombinedOutput()
			if err != nil || command == "forward" && string(out) != "4711\n" {
				t.Errorf("ssh -O %s: %q, %v", command, out, err)
			}
		}
		theirs := noted.take()
		for i, said := range theirs {
			theirs[i] = strings.Replace(said, "Bind:* ", "Bind: ", 1)
		}
		slices.Sort(theirs)
		for i, said := range ours {
			ours[i] = strings.Replace(said, "Bind:* ", "Bind: ", 1)
		}
		slices.Sort(ours)
		if !slices.Equal(theirs, ours) {
			t.Errorf("ssh: %q\nours: %q", theirs, ours)
		}
	}
	noted.mu.Lock()
	noted.err = errors.New("no \x1b[31m")
	noted.mu.Unlock()
	if _, err := Ask(o, io.Discard); err == nil || strings.Contains(err.Error(), "\x1b") ||
		!strings.Contains(err.Error(), `refuses: "no`) {
		t.Errorf("%v", err)
	}
	// where it failed is told as well
	noted.mu.Lock()
	noted.err = report.Failed(&net.OpError{Op: "listen", Err: errors.New("in use")}, "",
		"cannot listen on port 1: in use")
	noted.mu.Unlock()
	if _, err := Ask(o, io.Discard); err == nil || !strings.Contains(err.Error(), "on port 1: in") {
		t.Errorf("%v", err)
	}
	for _, bad := range []message{newMessage(openForward, 0, localForward),
		newMessage(openForward, 0, 4).text("").number(1).text("web").number(80),
		newMessage(openForward, 0, localForward).text("").number(0).text("web").number(80),
		newMessage(openForward, 0, localForward).text("").number(65536).text("web").number(80),
		newMessage(openForward, 0, localForward).text("").number(1).text("web").number(65536),
		newMessage(openForward, 0, localForward).text("").number(1).text("").number(80)} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		noted.take()
		if err := greet(conn); err != nil {
			t.Fatal(err)
		}
		if _, _, err := exchange(conn, bad); err == nil || len(noted.take()) > 0 {
			t.Errorf("%x: %v", bad, err)
		}
		conn.Close()
	}
}

// TestSSHAsks: ssh's own -O is answered.
func TestSSHAsks(t *testing.T) {
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip("not run: needs ssh")
	}
	path := filepath.Join(t.TempDir(), "s")
	ended := make(chan struct{})
	own(t, path, func() { close(ended) })
	for _, ask := range [][2]string{
		{"check", fmt.Sprintf("Master running (pid=%d)", os.Getpid())},
		{"exit", "Exit request sent."},
	} {
		out, err := exec.Command(ssh, "-F", "none", "-S", path, "-O", ask[0],
			"h").CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != ask[1] {
			t.Errorf("ssh -O %s: %q, %v", ask[0], out, err)
		}
	}
	<-ended
}

// ran notes the commands that are run, and ends with the process that has asked, if they say so.
type ran struct{ said chan string }

func (r *ran) Run(ctx context.Context, c *Command, opened func(pty bool)) (int, error) {
	opened(false)
	text, err := io.ReadAll(c.Files[0])
	c.Files[1].WriteString(string(text))
	if c.Line == "wait" {
		<-ctx.Done()
	}
	r.said <- fmt.Sprintf("%q %v %v %q %d %v %q %v", c.Line, c.Subsystem, c.PTY, c.Term, c.Escape,
		c.Agent, c.Env, err)
	return 7, ctx.Err()
}

// command is what ssh asks for.
func command(line string) message {
	return newMessage(newCommand, 5).text("").number(1).number(1).number(1).number(0).
		number(0xffffffff).text("xterm").text(line).text("A=b=c").text("B")
}

// asks sends a request on a connection of its own, and files with one byte each.
func asks(t *testing.T, path string, m message, rights ...[]int) *net.UnixConn {
	t.Helper()
	raw, err := net.Dial("unix", path)
	if err == nil {
		err = greet(raw)
	}
	if err == nil {
		err = m.writeTo(raw)
	}
	conn := raw.(*net.UnixConn)
	if err != nil {
		t.Fatal(err)
	}
	for _, fds := range rights { // an error: it has been refused already
		conn.WriteMsgUnix([]byte{0}, syscall.UnixRights(fds...), nil)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// answers reads the kinds of messages that come, and the last number in each.
func answers(t *testing.T, conn *net.UnixConn) (all []string) {
	t.Helper()
	for {
		kind, b, err := readMessage(conn)
		if err != nil {
			return all
		}
		b.number()
		all = append(all, fmt.Sprintf("%x %d", kind, b.number()))
	}
}

// A command gets the streams that come with the request, and its end is told with its code. One
// that is not whole, or does not send three streams, is refused, and no file stays open.
func TestCommands(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	runs := &ran{make(chan string, 1)}
	o, err := Own(path, messages(), new(asked), runs, nil)
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	fd := int(in.Fd())
	all := [][]int{{fd}, {fd}, {fd}}
	open := func() int { files, _ := os.ReadDir("/dev/fd"); return len(files) }
	before := open()
	conn := asks(t, path, command("echo"), all...)
	want := []string{"80000006 1", "80000008 0", "80000004 7"}
	if got := answers(t, conn); !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	if said := <-runs.said; said != `"echo" false true "xterm" -1 true [["A" "b=c"] ["B" ""]] <nil>` {
		t.Errorf("%s", said)
	}
	conn.Close()
	for name, conn := range map[string]*net.UnixConn{
		"cut off": asks(t, path, command("")[:40], all...),
		"two files at once": asks(t, path, command("no"), []int{fd}, []int{fd, fd},
			[]int{fd}),
		"too many variables": asks(t, path, func() message {
			m := command("no")
			for range 2000 {
				m = m.text("A=")
			}
			return m
		}(), all...),
	} {
		if got := answers(t, conn); len(got) != 1 || !strings.HasPrefix(got[0], "80000003") {
			t.Errorf("%s: %q", name, got)
		}
		conn.Close()
	}
	conn = asks(t, path, command("no"))
	io.WriteString(conn, "\x00\x00\x00") // no files
	if got := answers(t, conn); len(got) != 1 || !strings.HasPrefix(got[0], "80000003") {
		t.Errorf("no files: %q", got)
	}
	conn.Close()
	// a refusal waits for the files: ssh sends them before it reads, and a broken pipe is all that
	// it would tell of
	conn = asks(t, path, command("")[:40])
	io.WriteString(conn, "\x00\x00\x00")
	if kind, b, err := readMessage(conn); err != nil || kind != refused || b.number() != 5 ||
		b.text() != "it did not send its standard streams" {
		t.Errorf("refused before its files came: %x, %v", kind, err)
	}
	conn.Close()
	// those whose files do not come count among those that ask
	var slow []*net.UnixConn
	for range most {
		slow = append(slow, asks(t, path, command("no")))
	}
	testend.Until(t, "all of them ask", func() bool { return len(o.slots) == most })
	for _, conn := range slow {
		conn.Close()
	}
	testend.Until(t, "none asks", func() bool { return len(o.slots) == 0 })
	// whoever has asked goes away, and the owner waits for the command's end
	conn = asks(t, path, command("wait"), all...)
	if kind, _, err := readMessage(conn); kind != opened || err != nil {
		t.Errorf("%x, %v", kind, err)
	}
	conn.Close()
	o.Linger()
	if said := <-runs.said; !strings.HasPrefix(said, `"wait"`) {
		t.Errorf("%s", said)
	}
	testend.Until(t, "every file is closed", func() bool { return open() <= before })
}
