//go:build linux

package records_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

// screen is a login shell on a terminal, until it is left.
type screen struct {
	*testhost.Daemon
	in io.WriteCloser
}

func (w *world) screen(daemon, user string, words ...string) *screen {
	w.t.Helper()
	cmd := w.client(daemon, user, append([]string{"-tt", "127.0.0.1"}, words...)...)
	in, err := cmd.StdinPipe()
	w.Must(err)
	w.t.Cleanup(func() { in.Close() })
	return &screen{w.Start(cmd), in}
}

func (s *screen) types(t *testing.T, text, shown string) {
	t.Helper()
	io.WriteString(s.in, text)
	s.Out.Await(t, shown)
}

func (s *screen) leave() {
	io.WriteString(s.in, "exit\n")
	<-s.Done
}

// said is what a program says, with single blanks and without times.
func (w *world) said(argv ...string) string {
	w.t.Helper()
	lines := []string{}
	for line := range strings.Lines(w.must(argv...)) {
		fields := strings.Fields(line)
		kept := fields[:0]
		for _, f := range fields {
			if strings.Contains(f, "(") || !strings.Contains(f, ":") {
				kept = append(kept, f)
			}
		}
		lines = append(lines, strings.Join(kept, " "))
	}
	return strings.Join(lines, "\n")
}

// dump is what utmpdump says of the entries of a book: kind, line and user.
func (w *world) dump(file string) string {
	w.t.Helper()
	lines := []string{}
	for line := range strings.Lines(w.must("sh", "-c", "utmpdump "+file+" 2>/dev/null")) {
		f := strings.FieldsFunc(line, func(c rune) bool { return c == '[' || c == ']' })
		if len(f) > 8 {
			lines = append(lines, strings.Join(strings.Fields(f[0]+" "+f[8]+" "+f[6]), " "))
		}
	}
	return strings.Join(lines, "\n")
}

// In the books, a session on a terminal looks as sshd's does: while it lasts, and afterwards.
func TestBooks(t *testing.T) {
	for _, name := range []string{"who", "w", "last", "lastlog", "utmpdump"} {
		testhost.Need(t, name)
	}
	w := newWorld(t)
	w.account("rosa")
	w.start()
	seen := map[string][]string{}
	for _, daemon := range both {
		w.must("sh", "-c", ": >/run/utmp; : >/var/log/wtmp; : >/var/log/lastlog")
		if r := w.run(daemon, "rosa", "who; last"); strings.Contains(r.Out, "rosa") {
			t.Errorf("%s, without a terminal: %+v", daemon, r)
		}
		s := w.screen(daemon, "rosa")
		s.types(t, "who | sed s/$/=/\n", "(127.0.0.1)=")
		now := []string{w.said("who"), w.said("who", "-q"), w.said("lastlog", "-u", "rosa"),
			w.dump("/run/utmp"), w.dump("/var/log/wtmp")}
		if text := w.said("last", "-w"); !strings.Contains(text, "rosa pts/0 127.0.0.1") {
			t.Errorf("%s: last says %s", daemon, text)
		}
		if text := w.must("w", "-h", "rosa"); !strings.Contains(text, "127.0.0.1") {
			t.Errorf("%s: w says %q", daemon, text)
		}
		pid := strings.Fields(w.must("who", "-u"))[6]
		if err := syscall.Kill(atoi(pid), 0); err != nil {
			t.Errorf("%s: who -u names %s: %v", daemon, pid, err)
		}
		s.leave()
		testend.Until(t, daemon+"'s session is over in the books", func() bool {
			return w.must("who") == ""
		})
		// last says "still running" of what has ended in this second
		testend.Until(t, "last knows the end", func() bool {
			return !strings.Contains(w.must("last", "-w", "rosa"), "still")
		})
		if r := w.run(daemon, "rosa", "-tt", "who"); !strings.Contains(r.Out, "rosa") {
			t.Errorf("%s, a command on a terminal: %+v", daemon, r)
		}
		testend.Until(t, daemon+"'s session is over in the books", func() bool {
			return w.must("who") == ""
		})
		seen[daemon] = append(now, w.dump("/run/utmp"), w.dump("/var/log/wtmp"),
			w.said("lastlog", "-u", "rosa"))
	}
	for i, theirs := range seen["sshd"] {
		if ours := seen["minisshd"][i]; theirs != ours {
			t.Errorf("%d: sshd\n%s\nminisshd\n%s", i, theirs, ours)
		}
	}
}

func atoi(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// Books that are not there are not made, and nobody's login fails for that.
func TestNoBooks(t *testing.T) {
	w := newWorld(t)
	w.account("rosa")
	w.start()
	w.must("sh", "-c", "rm /run/utmp /var/log/wtmp /var/log/lastlog")
	for _, daemon := range both {
		if r := w.shell(daemon, "rosa", "echo i''n\nexit\n"); r.Code != 0 ||
			!strings.Contains(r.Out, "in\r\n") || strings.Contains(r.Out, "Last") {
			t.Errorf("%s: %+v", daemon, r)
		}
	}
	if text := w.must("sh", "-c", "ls /var/log; ls /run | grep utmp || true"); text != "" &&
		!strings.Contains(text, "lastlog\n") { // sshd makes that
		t.Errorf("there is %s", text)
	}
}

// holder is a program that locks the books for reading, as every user can.
const holder = `import fcntl, sys
held = [open(name, "rb") for name in sys.argv[1:]]
for f in held:
    fcntl.lockf(f, fcntl.LOCK_SH)
print("held", flush=True)
sys.stdin.read()
`

// A user who locks the books delays nobody's shell, and keeps nobody out of them.
func TestLockedBooks(t *testing.T) {
	testhost.Need(t, "python3")
	w := newWorld(t)
	w.account("rosa")
	w.account("otto")
	w.start()
	w.must("chmod", "644", "/run/utmp", "/var/log/wtmp")
	w.put("/home/otto/hold.py", holder)
	cmd := w.client("minisshd", "otto", "127.0.0.1", "python3 hold.py /run/utmp /var/log/wtmp")
	in, err := cmd.StdinPipe()
	w.Must(err)
	defer in.Close()
	w.Start(cmd).Out.Await(t, "held")
	for range 3 {
		// python would hold the lock for ever, so a shell that waited for it would never show this
		if r := w.shell("minisshd", "rosa", "echo i''n\nexit\n"); r.Code != 0 ||
			!strings.Contains(r.Out, "in\r\n") {
			t.Errorf("%+v", r)
		}
	}
	testend.Until(t, "all is in the books", func() bool {
		return strings.Count(w.dump("/var/log/wtmp"), "8 ") == 3 && w.dump("/run/utmp") == "8 pts/0"
	})
}

// When a daemon dies, nobody stays in the books whose session died with it; when one is replaced,
// those stay whom the old one serves.
func TestDaemonDies(t *testing.T) {
	w := newWorld(t)
	w.account("rosa")
	w.startOurs("", "--supervisor", "yes", "--stop-grace", "100ms")
	s := w.screen("minisshd", "rosa")
	s.types(t, "echo i''n\n", "in\r\n")
	proper := w.proper()
	if r := w.RunCmd(w.do(testhost.Bin+"/minisshd", "upgrade", "--control",
		w.Path("control"))); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	s.types(t, "who | sed s/$/=/\n", "(127.0.0.1)=")
	if text := w.dump("/run/utmp"); text != "7 pts/0 rosa" {
		t.Errorf("after an upgrade: %s", text)
	}
	s.leave()
	testend.Until(t, "the old daemon has recorded the end", func() bool {
		return w.dump("/run/utmp") == "8 pts/0"
	})
	testend.Until(t, "the old daemon is gone", func() bool {
		_, err := os.Stat("/proc/" + strconv.Itoa(proper))
		return err != nil
	})
	s = w.screen("minisshd", "rosa")
	s.types(t, "echo i''n; trap '' HUP\n", "in\r\n")
	w.Must(syscall.Kill(w.proper(), syscall.SIGKILL))
	testend.Until(t, "the dead session is marked", func() bool {
		return w.dump("/run/utmp") == "8 pts/0"
	})
	if text := w.dump("/var/log/wtmp"); text !=
		"7 pts/0 rosa\n8 pts/0\n7 pts/0 rosa\n8 pts/0" {
		t.Errorf("wtmp\n%s", text)
	}
}

// proper is the newest daemon proper of the supervisor that runs.
func (w *world) proper() (newest int) {
	w.t.Helper()
	testend.Until(w.t, "there is a daemon proper", func() bool {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", w.daemon.Cmd.Process.Pid))
		for _, task := range tasks {
			text, _ := os.ReadFile(task)
			for _, word := range strings.Fields(string(text)) {
				comm, _ := os.ReadFile("/proc/" + word + "/comm")
				if strings.TrimSpace(string(comm)) == "minisshd" {
					newest = max(newest, atoi(word))
				}
			}
		}
		return newest != 0
	})
	return newest
}
