//go:build unix

package daemon

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"minissh/daemon/control"
)

func init() {
	// this process is another account's: see TestControlStrangers
	switch os.Getenv("MINISSH_TEST_STRANGER") {
	case "asks":
		conn, err := net.Dial("unix", os.Args[1])
		if err != nil {
			os.Exit(3)
		}
		conn.Write([]byte(`{"verb":"who"}` + "\n"))
		io.Copy(os.Stdout, conn)
		os.Exit(0)
	case "listens":
		l, err := net.Listen("unix", os.Args[1])
		if err != nil {
			os.Exit(3)
		}
		os.Chmod(os.Args[1], 0o666)
		os.Stdout.WriteString("ready\n")
		conn, err := l.Accept()
		if err != nil {
			os.Exit(3)
		}
		io.Copy(os.Stdout, conn)
		os.Exit(0)
	}
}

// controlled is a daemon with a control socket.
func controlled(t *testing.T) (l *lab, path string) {
	t.Helper()
	l = newLab(t, nil)
	path = filepath.Join(t.TempDir(), "dir", "control")
	if err := l.desk.Listen(path); err != nil {
		t.Fatal(err)
	}
	return l, path
}

func asks(t *testing.T, path string) (control.WhoInfo, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var who control.WhoInfo
	err := control.Ask(ctx, []string{filepath.Join(t.TempDir(), "none"), path}, "who", nil, nil,
		&who)
	return who, err
}

// Only its owner may use the socket; a second daemon leaves it to the first; what a dead one left
// is replaced; nothing else is.
func TestControlSocket(t *testing.T) {
	l, path := controlled(t)
	for name, want := range map[string]os.FileMode{path: os.ModeSocket | 0o600,
		filepath.Dir(path): os.ModeDir | 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	second := newLab(t, nil)
	if err := second.desk.Listen(path); !errors.Is(err, control.ErrTaken) {
		t.Errorf("a second daemon: %v", err)
	}
	if _, err := asks(t, path); err != nil {
		t.Errorf("after a second daemon tried: %v", err)
	}
	l.stop()
	if _, err := asks(t, path); !errors.Is(err, control.ErrNoDaemon) {
		t.Errorf("after the daemon's end: %v", err)
	}
	left, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	left.Close()
	if _, err := asks(t, path); !errors.Is(err, control.ErrNoDaemon) {
		t.Errorf("a dead socket: %v", err)
	}
	if err := second.desk.Listen(path); err != nil {
		t.Errorf("a dead socket was not replaced: %v", err)
	}
	if _, err := asks(t, path); err != nil {
		t.Errorf("after a dead socket was replaced: %v", err)
	}
}

func TestControlSocketRefused(t *testing.T) {
	l := newLab(t, nil)
	dir := t.TempDir()
	file, open, linked := filepath.Join(dir, "file"), filepath.Join(dir, "open"),
		filepath.Join(dir, "linked")
	os.WriteFile(file, []byte("precious"), 0o600)
	os.Mkdir(open, 0o700)
	os.Chmod(open, 0o777)
	os.WriteFile(filepath.Join(dir, "target"), nil, 0o600)
	os.Symlink(filepath.Join(dir, "target"), linked+".lock")
	for path, want := range map[string]string{
		file: "is not a socket", filepath.Join(open, "control"): "written by others",
		linked: "symbolic link", filepath.Join(dir, strings.Repeat("x", 120)): "too long",
		filepath.Join(file, "control"): "not a directory",
	} {
		if err := l.desk.Listen(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if text, _ := os.ReadFile(file); string(text) != "precious" {
		t.Error("a file was replaced")
	}
}

// What is not a request gets an error or nothing, and delays nobody; an asker that hangs up
// withdraws its request.
func TestControlRequests(t *testing.T) {
	before := holding()
	l := newPairingLab(t)
	path := filepath.Join(t.TempDir(), "dir", "control")
	if err := l.desk.Listen(path); err != nil {
		t.Fatal(err)
	}
	silent, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for request, want := range map[string]string{
		"hello\n": "not a JSON object", `{"verb":"dance\u001b"}` + "\n": `know \"dance\\x1b\"`,
		`{"verb":7}` + "\n":                      "not a JSON object",
		`{"verb":"end","args":{"id":99}}` + "\n": "there is no session 99",
		`{"verb":"end"}` + "\n":                  "needs the number",
		strings.Repeat("x", 64<<10+1):            "",
	} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		go conn.Write([]byte(request))
		answer, _ := io.ReadAll(conn)
		conn.Close()
		if !strings.Contains(string(answer), want) || (want == "") != (len(answer) == 0) {
			t.Errorf("%.40q gets %q", request, answer)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var heard string
	err = control.Ask(ctx, []string{path}, "pair", control.Offer{}, func(event json.RawMessage) {
		if heard = string(event); !l.desk.Open() {
			t.Error("a code is told, and nobody could pair")
		}
		cancel()
	}, nil)
	if !errors.Is(err, context.Canceled) || !strings.Contains(heard, `"codes"`) {
		t.Errorf("%v, heard %q", err, heard)
	}
	l.until("the request is taken back", func() bool { return !l.desk.Open() })
	stopping := make(chan error, 1)
	told := make(chan struct{})
	go func() {
		stopping <- control.Ask(context.Background(), []string{path}, "pair", control.Offer{},
			func(json.RawMessage) { close(told) }, nil)
	}()
	within(t, "the request is being served", told)
	l.stop() // with an asker that is silent, and one that is being served
	if err := <-stopping; err == nil {
		t.Error("the end of the daemon ends no request")
	}
	silent.Close()
	settle(t, before)
}

// Another account cannot ask a daemon and cannot pose as one, even if it can reach the path.
func TestControlStrangers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not run: needs root")
	}
	l, path := controlled(t)
	dir := filepath.Dir(path)
	for d := dir; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
		os.Chmod(d, 0o755)
	}
	os.Chmod(path, 0o666)
	stranger := func(role, path string) *exec.Cmd {
		cmd := exec.Command("/proc/self/exe", path)
		cmd.Env = []string{"MINISSH_TEST_STRANGER=" + role}
		cmd.Dir, cmd.SysProcAttr = "/",
			&syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 4711, Gid: 4711}}
		return cmd
	}
	if out, err := stranger("asks", path).Output(); err != nil || len(out) > 0 {
		t.Errorf("a stranger is told %q, %v", out, err)
	}
	l.log.want(t, "Control refused", "uid=4711")

	squat := filepath.Join(t.TempDir(), "squat")
	os.Chmod(filepath.Dir(filepath.Dir(squat)), 0o755)
	os.Chmod(filepath.Dir(squat), 0o777)
	cmd := stranger("listens", filepath.Join(squat))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	text := bufio.NewReader(out)
	if line, _ := text.ReadString('\n'); line != "ready\n" {
		t.Errorf("the stranger says %q", line)
	}
	if _, err := asks(t, squat); err == nil ||
		!strings.Contains(err.Error(), "socket of uid 4711") {
		t.Errorf("a squatter's socket: %v", err)
	}
	if rest, _ := io.ReadAll(text); len(rest) > 0 {
		t.Errorf("a squatter was told %q", rest)
	}
	cmd.Wait()
}
