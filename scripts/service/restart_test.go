//go:build linux

package service_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"minissh/scripts/testhost"
)

// A service manager restarts the service: TERM to the supervisor, which ends alone, and a new one
// that gets back what the manager was given to keep (FDSTORE). Sessions go on, a client whose link
// is lost comes back, the port stays the one that the kernel chose, nobody is refused, and the
// numbers of sessions go on. Then with other addresses: what is not wanted any more is not in the
// way, and is removed from the store.
func TestRestart(t *testing.T) {
	p := testhost.New(t)
	dir, err := os.MkdirTemp("", "m")
	p.Must(err)
	defer os.RemoveAll(dir)
	r := &replaced{t: t, p: p, control: filepath.Join(dir, "c")}
	defer endAll(r.control)
	m := newManager(t, filepath.Join(dir, "notify"))
	// to files: a daemon that stays for its sessions would hold the pipes
	out, err := os.Create(p.Path("out"))
	p.Must(err)
	defer out.Close()
	start := func(listen string) *testhost.Daemon {
		var names []string
		var files []*os.File
		for name, file := range m.kept {
			names, files = append(names, name), append(files, file)
		}
		cmd := p.Command("sh", "-c", `LISTEN_PID=$$ exec minisshd "$@"`, "sh", "--control",
			r.control, "--listen", listen, "--host-key", p.Path("host_key"), "--authorized-keys",
			p.Path("authorized_keys"))
		cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+filepath.Join(dir, "notify"),
			fmt.Sprintf("LISTEN_FDS=%d", len(files)), "LISTEN_FDNAMES="+strings.Join(names, ":"))
		cmd.ExtraFiles = files
		d := p.StartWith(cmd, out, out)
		if ready := m.next(); ready["READY"] != "1" {
			t.Fatalf("it tells %v; %s", ready, p.Read("out"))
		}
		return d
	}
	end := func(d *testhost.Daemon) {
		t.Helper()
		d.Cmd.Process.Signal(syscall.SIGTERM)
		if stopping := m.next(); stopping["STOPPING"] != "1" {
			t.Errorf("it tells %v", stopping)
		}
		<-d.Done
		if code := d.Cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("exit code %d; %s", code, p.Read("out"))
		}
	}
	first := start("127.0.0.1:0")
	r.Daemon = first
	_, after, _ := strings.Cut(p.Read("out"), "127.0.0.1:")
	r.Port, _, _ = strings.Cut(after, " ")
	p.Knows("box", r.Port)
	r.relay = newRelay(t, "127.0.0.1:"+r.Port)
	p.Knows("far", r.relay.port)
	stop := knocking(r.Port)
	cat := p.Command("minissh", "far", "cat; exit 7")
	typed, err := cat.StdinPipe()
	p.Must(err)
	said := new(testhost.Text)
	c := p.StartWith(cat, said, os.Stderr)
	fmt.Fprintln(typed, "one")
	said.Await(t, "one\n")

	end(first)
	fmt.Fprintln(typed, "two")
	said.Await(t, "two\n")
	second := start("127.0.0.1:0")
	line := "listening on 127.0.0.1:" + r.Port + " "
	if text := p.Read("out"); strings.Count(text, line) != 2 {
		t.Errorf("it listens elsewhere: %s", text)
	}
	r.relay.cut()
	fmt.Fprintln(typed, "three")
	said.Await(t, "three\n")
	other := p.Start(p.Command("minissh", "box", "sleep 300"))
	await(t, "both sessions", func() bool {
		who := p.Run("minisshd", "who", "--control", r.control).Out
		return strings.Contains(who, "\n1 ") && strings.Contains(who, "(old daemon)") &&
			strings.Contains(who, "\n2 ")
	})
	if knocks, err := stop(); err != nil || knocks < 20 {
		t.Errorf("%d connections, then %v", knocks, err)
	}
	other.Cmd.Process.Signal(syscall.SIGTERM)
	typed.Close()
	<-c.Done
	if code := cat.ProcessState.ExitCode(); code != 7 || said.String() != "one\ntwo\nthree\n" {
		t.Errorf("exit code %d, %q", code, said)
	}

	end(second)
	third := start("0.0.0.0:" + r.Port) // which the address before is in the way of
	if text := p.Read("out"); !strings.Contains(text, "listening on 0.0.0.0:"+r.Port) {
		t.Errorf("%s", text)
	}
	gone := "minisshd-" + hex.EncodeToString([]byte("listen/127.0.0.1:0"))
	if m.kept[gone] != nil {
		t.Error("the service manager still has what nobody wants")
	}
	end(third)
}

// endAll ends the daemons that have a control socket at a path: old ones stay for a while.
func endAll(control string) {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, line := range lines {
		text, _ := os.ReadFile(line)
		if strings.Contains(string(text), "\x00"+control+"\x00") {
			if pid, err := strconv.Atoi(strings.Split(line, "/")[2]); err == nil {
				syscall.Kill(pid, syscall.SIGTERM)
			}
		}
	}
}
