package peers

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/folder"
	"minissh/cmd/minissh-lab/server"
	"minissh/protocol/testend"
)

// limit is how long one Python program may take; it measures nothing and only ends.
const limit = 30 * time.Second

// interpreter is the path of a Python 3, or "". It is asked for its own path, since
// the name may be a wrapper that takes longer than the program.
var interpreter = sync.OnceValue(func() string {
	for _, name := range []string{"python3", "python"} {
		ask := "import sys; sys.version_info >= (3, 6) and print(sys.executable)"
		// On Windows, python3.exe may be a program that only opens a shop.
		if out, err := exec.Command(name, "-c", ask).Output(); err == nil && len(out) > 0 {
			return strings.TrimSpace(string(out))
		}
	}
	return ""
})

// python is the interpreter; without one the test is skipped by name.
func python(t *testing.T) string {
	t.Helper()
	if interpreter() == "" {
		t.Skip("not run: needs python3")
	}
	return interpreter()
}

// command is a Python program of this folder, not yet started.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, python(t), append([]string{"-u", "-B", "-S"}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONIOENCODING=utf-8", "PYTHONUTF8=1")
	return cmd
}

// runClient runs a Python client to its end with lines typed at its prompt, and
// returns what it prints.
func runClient(t *testing.T, args []string, lines ...string) string {
	t.Helper()
	cmd := command(t, args...)
	cmd.Stdin = strings.NewReader(strings.Join(append(lines, "quit"), "\n") + "\n")
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s\n%s", args, err, out, errOut.String())
	}
	text := strings.ReplaceAll(string(out), "\r\n", "\n")
	return strings.NewReplacer(">>: ", "", ">>>", "").Replace(text)
}

// pyServer is a Python server that listens.
type pyServer struct {
	network, addr string
	in            io.Writer
	out           *bufio.Reader
}

// startServer starts a Python server on place and waits for its `starting` line.
func startServer(t *testing.T, network, place string, script string, args ...string) *pyServer {
	t.Helper()
	cmd := command(t, append([]string{script, place}, args...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() // many of them serve for ever
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %s", script, errOut.String())
		}
	})
	s := &pyServer{network: network, in: in, out: bufio.NewReader(out)}
	where, ok := strings.CutPrefix(s.line(t), "starting ")
	if !ok {
		t.Fatalf("%s does not start", script)
	}
	s.addr = where
	if network != "unix" {
		host, _, _ := net.SplitHostPort(place)
		s.addr = net.JoinHostPort(host, where)
	}
	return s
}

// line is the server's next line of output.
func (s *pyServer) line(t *testing.T) string {
	t.Helper()
	text, err := s.out.ReadString('\n')
	if err != nil {
		t.Fatalf("the Python server printed %q, then %v", text, err)
	}
	return strings.TrimRight(text, "\r\n")
}

// dial is a Go client of the server.
func (s *pyServer) dial(t *testing.T, d *dialect.Dialect, o dialect.Options) *dialect.Client {
	t.Helper()
	conn, err := net.Dial(s.network, s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if o.Timeout == 0 {
		o.Timeout = limit
	}
	return dialect.NewClient(conn, d, o)
}

// goServer serves d in this process and returns its address as the Python programs
// take it.
func goServer(t *testing.T, d *dialect.Dialect, place string, o dialect.Options) string {
	t.Helper()
	network, address, err := server.ParseAddress(place, d.Port, d.Datagram)
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Listen(server.Config{Dialect: d, Network: network, Address: address,
		Options: o})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := testend.Next(t, "Serve ends", ended); err != nil {
			t.Errorf("server: %v", err)
		}
	})
	if network == "unix" {
		return place
	}
	return s.Addr().String()
}

// folderWith is a guarded folder with the given files.
func folderWith(t *testing.T, files map[string]string) *folder.Folder {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// wantFile checks a file's content.
func wantFile(t *testing.T, dir, name, want string) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil || string(got) != want {
		t.Errorf("%s has %d bytes, %v; want %d", name, len(got), err, len(want))
	}
}

func TestGoldenBytesAreStillPythons(t *testing.T) {
	out, err := command(t, "golden.py").Output()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../dialect/testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.ReplaceAll(string(out), "\r\n", "\n"); got != string(want) {
		t.Errorf("golden.py prints other bytes than golden.txt holds:\n%s", got)
	}
}
