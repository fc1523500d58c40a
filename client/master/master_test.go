//go:build linux || darwin

package master

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol/testend"
)

func messages() *report.Messages { return report.New(io.Discard, new(options.Options)) }

// own makes a socket in a directory of the test.
func own(t *testing.T, path string, end func()) *Owner {
	t.Helper()
	o, err := Own(path, messages(), end)
	if err != nil || o == nil {
		t.Fatalf("%v, %v", o, err)
	}
	t.Cleanup(o.Stop)
	return o
}

func TestMaster(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if _, err := Ask("check", path); err == nil ||
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
	said, err := Ask("check", path)
	if want := fmt.Sprintf("Master running (pid=%d)", os.Getpid()); said != want || err != nil {
		t.Errorf("%q, %v", said, err)
	}
	for _, command := range []string{"forward", "cancel", "proxy"} {
		if _, err := Ask(command, path); err == nil {
			t.Errorf("-O %s is answered", command)
		}
	}
	if second, err := Own(path, messages(), nil); second != nil || err != nil {
		t.Errorf("a second owner: %v, %v", second, err)
	}
	if said, err := Ask("exit", path); said != "Exit request sent." || err != nil {
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
	if said, err := Ask("stop", path); said != "Stop listening request sent." || err != nil {
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
	if second, err := Own(path, messages(), nil); second != nil {
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
	if _, err := Ask("check", path); err != nil {
		t.Error(err)
	}
	var refusal bytes.Buffer
	writeRefusal(&refusal, 7, "no")
	kind, numbers, err := readMessage(&refusal)
	if kind != refused || numbers[0] != 7 || err != nil {
		t.Errorf("%x, %v, %v", kind, numbers, err)
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
