package logins

import (
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol/testend"
)

// newBook makes a Book whose files are in a directory of the test, and empty.
func newBook(t *testing.T) *Book {
	t.Helper()
	dir := t.TempDir()
	files := Files{filepath.Join(dir, "utmp"), filepath.Join(dir, "wtmp"),
		filepath.Join(dir, "lastlog")}
	for _, name := range []string{files.Utmp, files.Wtmp, files.Lastlog} {
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b := Open(files, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { b.Close() })
	if b.of == nil {
		t.Skip("not run: the layout of this processor is not known")
	}
	return b
}

// said lists a file's entries: kind, line, user.
func (b *Book) said(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := b.of.entries(f)
	if err != nil {
		t.Fatal(err)
	}
	words := []string{}
	for _, e := range list {
		kind := map[int]string{userProcess: "user", deadProcess: "dead"}[e.kind()]
		words = append(words, strings.TrimSpace(kind+" "+e.line()+" "+text(e.b[44:][:userSize])))
	}
	return strings.Join(words, ", ")
}

func (b *Book) want(t *testing.T, what, utmp, wtmp string) {
	t.Helper()
	if got := b.said(t, b.files.Utmp); got != utmp {
		t.Errorf("%s: utmp %q, not %q", what, got, utmp)
	}
	if got := b.said(t, b.files.Wtmp); got != wtmp {
		t.Errorf("%s: wtmp %q, not %q", what, got, wtmp)
	}
}

var (
	ann = Login{Line: "pts/1", User: "ann", UID: 1001, Host: "192.0.2.7",
		Addr: netip.MustParseAddr("192.0.2.7"), PID: os.Getpid()}
	bob = Login{Line: "pts/2", User: "bob", UID: 1002, Host: "2001:db8::1",
		Addr: netip.MustParseAddr("2001:db8::1"), PID: os.Getpid()}
)

// A login is there until its end, and its place is then another's. wtmp has all of it.
func TestBook(t *testing.T) {
	b := newBook(t)
	if _, ok := b.Last(1001); ok {
		t.Error("somebody was here")
	}
	b.Begin(ann)
	b.Begin(bob)
	b.want(t, "two", "user pts/1 ann, user pts/2 bob", "user pts/1 ann, user pts/2 bob")
	b.End(ann)
	b.End(ann)
	b.want(t, "one", "dead pts/1, user pts/2 bob", "user pts/1 ann, user pts/2 bob, dead pts/1")
	eve := bob
	eve.User, eve.Line, eve.PID = "eve", "pts/1", os.Getppid()
	b.Begin(eve)
	if got := b.said(t, b.files.Utmp); got != "user pts/1 eve, user pts/2 bob" {
		t.Error(got)
	}
	b.End(ann) // that is another's now
	if got := b.said(t, b.files.Utmp); got != "user pts/1 eve, user pts/2 bob" {
		t.Error(got)
	}
	last, ok := b.Last(1001)
	if !ok || last.Host != "192.0.2.7" || time.Since(last.Time) > time.Hour {
		t.Errorf("%+v, %v", last, ok)
	}
	if _, ok := b.Last(1000); ok { // in the file, but empty
		t.Error("1000 was here")
	}
}

// The machine's own programs read what is written.
func TestPrograms(t *testing.T) {
	b := newBook(t)
	b.Begin(ann)
	b.Begin(bob)
	for _, argv := range [][]string{{"who", "-u", b.files.Utmp},
		{"last", "-w", "-i", "-f", b.files.Wtmp}, {"utmpdump", b.files.Utmp}} {
		if _, err := exec.LookPath(argv[0]); err != nil {
			t.Log("not run: needs " + argv[0])
			continue
		}
		out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).Output()
		for _, want := range []string{"ann", "pts/1", "192.0.2.7", "bob", "pts/2", "2001:db8::1"} {
			if err != nil || !strings.Contains(string(out), want) {
				t.Errorf("%v does not say %s: %v\n%s", argv, want, err, out)
			}
		}
	}
	b.End(ann)
	out, err := exec.CommandContext(t.Context(), "who", b.files.Utmp).Output()
	if text := string(out); err == nil &&
		(strings.Contains(text, "ann") || !strings.Contains(text, "bob")) {
		t.Errorf("who says\n%s", out)
	}
}

// A file that is not there is not made, and the others are written.
func TestMissing(t *testing.T) {
	b := newBook(t)
	for _, name := range []string{b.files.Utmp, b.files.Lastlog} {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	b.Begin(ann)
	b.End(ann)
	if got := b.said(t, b.files.Wtmp); got != "user pts/1 ann, dead pts/1" {
		t.Error(got)
	}
	if err := os.Remove(b.files.Wtmp); err != nil {
		t.Fatal(err)
	}
	b.Begin(ann)
	if left, err := os.ReadDir(filepath.Dir(b.files.Wtmp)); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
	if _, ok := b.Last(1001); ok {
		t.Error("somebody was here")
	}
}

// locked holds a lock, as anybody can who may read a file, until it is closed.
func locked(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	whole := unix.Flock_t{Type: unix.F_RDLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &whole); err != nil {
		t.Fatal(err)
	}
	return f
}

// Who holds a lock delays nobody, and hides nobody: when it is let go, or after a second, all is
// written, in its order.
func TestLocked(t *testing.T) {
	for _, release := range []bool{true, false} {
		for _, file := range []func(Files) string{func(f Files) string { return f.Utmp },
			func(f Files) string { return f.Wtmp }} {
			b := newBook(t)
			holder := locked(t, file(b.files))
			began := time.Now()
			b.Begin(ann)
			b.Begin(bob)
			b.End(ann)
			if took := time.Since(began); took > patience/2 {
				t.Errorf("it took %v", took)
			}
			b.mu.Lock()
			if len(b.waiting) != 3 {
				t.Errorf("%d wait", len(b.waiting))
			}
			b.mu.Unlock()
			if release {
				holder.Close()
			}
			testend.Until(t, "it is written", func() bool {
				return b.said(t, b.files.Wtmp) == "user pts/1 ann, user pts/2 bob, dead pts/1"
			})
			if took := time.Since(began); !release && took < 900*time.Millisecond {
				t.Errorf("a lock was not waited for: %v", took)
			}
			b.want(t, "in the end", "dead pts/1, user pts/2 bob",
				"user pts/1 ann, user pts/2 bob, dead pts/1")
		}
	}
}

// At the end, nothing is left to be written, whoever holds a lock.
func TestClose(t *testing.T) {
	b := newBook(t)
	locked(t, b.files.Utmp)
	locked(t, b.files.Wtmp)
	b.Begin(ann)
	b.Close()
	b.Begin(bob)
	b.want(t, "closed", "user pts/1 ann, user pts/2 bob", "user pts/1 ann, user pts/2 bob")
}

// Of a daemon that has died, those entries are marked dead whose leaders are gone, and no others:
// neither those of other programs, nor what lives and leads its session.
func TestBury(t *testing.T) {
	b := newBook(t)
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	lives := exec.Command("cat")
	lives.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	in, err := lives.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := lives.Start(); err != nil {
		t.Fatal(err)
	}
	ended := exec.Command("true") // which nobody has reaped
	ended.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	if err := ended.Start(); err != nil {
		t.Fatal(err)
	}
	defer ended.Wait()
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PID, ended.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT,
		nil); err != nil {
		t.Fatal(err)
	}
	for i, pid := range []int{gone.Process.Pid, lives.Process.Pid, ended.Process.Pid,
		1 << 30, os.Getpid()} { // the last one leads no session, or is not asked about
		login := ann
		login.Line, login.PID = "pts/"+string(rune('1'+i)), pid
		b.Begin(login)
		if pid == 1<<30 { // another program's
			f, err := os.OpenFile(b.files.Utmp, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			f.WriteAt(make([]byte, 20), int64(i*b.of.size+b.of.unused))
			f.Close()
		}
	}
	b.Bury()
	b.Bury()
	want := "dead pts/1, user pts/2 ann, dead pts/3, user pts/4 ann, "
	if sid, err := unix.Getsid(0); err == nil && sid == os.Getpid() {
		want += "user pts/5 ann"
	} else {
		want += "dead pts/5"
	}
	if got := b.said(t, b.files.Utmp); got != want {
		t.Errorf("%s, not %s", got, want)
	}
	if got := strings.Count(b.said(t, b.files.Wtmp), "dead"); got != strings.Count(want, "dead") {
		t.Errorf("%d ends in wtmp", got)
	}
	in.Close()
	lives.Wait()
	b.Bury()
	if got := b.said(t, b.files.Utmp); !strings.Contains(got, "dead pts/2") {
		t.Error(got)
	}
}

// A Book that is not there records nothing.
func TestNoBook(t *testing.T) {
	var b *Book
	b.Begin(ann)
	b.End(ann)
	b.Bury()
	if _, ok := b.Last(0); ok {
		t.Error("somebody was here")
	}
	b.Close()
}
