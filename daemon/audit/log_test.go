//go:build unix

package audit

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"minissh/protocol/fulldisk"
	"minissh/protocol/testend"
)

var (
	ann  = &Who{User: "ann", UID: 1000, Known: true, Key: "ED25519 SHA256:x", Session: 7}
	bob  = &Who{User: "bob", UID: 1001, Known: true}
	root = &Who{User: "root", Known: true}
)

// opened opens a log of files of 1 MiB.
func opened(t *testing.T, full string, keep int) (*Log, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.json")
	return openAt(t, path, full, keep), path
}

func openAt(t *testing.T, path, full string, keep int) *Log {
	t.Helper()
	l, err := Open(Options{Path: path, Size: 1 << 20, Keep: keep, Full: full,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(time.Minute) })
	return l
}

// entries are the lines of a file, each of which must be one JSON object.
func entries(t *testing.T, path string) (list []map[string]any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var entry map[string]any
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			t.Fatalf("%v in %.200q", err, lines.Text())
		}
		list = append(list, entry)
	}
	return list
}

func TestEntry(t *testing.T) {
	l, path := opened(t, Refuse, 2)
	who := *ann
	who.Addr = netip.MustParseAddrPort("192.0.2.7:4711")
	if err := l.Begin("request", &who, "command", "printf '\xff'\n", "tty", true); err != nil {
		t.Fatal(err)
	}
	l.Note("Command ended", &who, "code", 3, "duration_ms", int64(12), "why", errors.New("so"))
	l.Close(time.Minute)
	list := entries(t, path)
	if len(list) != 2 {
		t.Fatalf("%v", list)
	}
	for name, want := range map[string]any{"event": "request", "user": "ann", "uid": 1000.0,
		"from": "192.0.2.7:4711", "key": "ED25519 SHA256:x", "session": 7.0, "seq": 1.0,
		"tty": true, "daemon": float64(os.Getpid())} {
		if list[0][name] != want {
			t.Errorf("%s is %v, not %v", name, list[0][name], want)
		}
	}
	if b, ok := list[0]["command"].(map[string]any); !ok || b["b64"] == nil {
		t.Errorf("bytes that are not UTF-8: %v", list[0]["command"])
	}
	if list[1]["event"] != "command_ended" || list[1]["code"] != 3.0 || list[1]["why"] != "so" {
		t.Errorf("%v", list[1])
	}
	if info, _ := os.Stat(path); info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

// A user may fill a quarter of a file at once: 256 KiB of 1 MiB. Others go on, root in any case,
// and what has begun is told of to its end. An hour later there is as much again.
func TestShare(t *testing.T) {
	l, path := opened(t, Refuse, 9)
	at := time.Now()
	l.now = func() time.Time { return at }
	text := strings.Repeat("x", 1000)
	begun := 0
	for l.Begin("request", ann, "command", text) == nil {
		if begun++; begun > 1000 {
			t.Fatal("nothing is refused")
		}
	}
	if begun < 200 || begun > 262 { // entries of 1,000 bytes and some
		t.Errorf("%d requests had room in 256 KiB", begun)
	}
	if err := l.Begin("request", ann); !errors.Is(err, ErrFull) ||
		!strings.Contains(err.Error(), "used up") {
		t.Errorf("%v", err)
	}
	if err := l.Begin("request", bob, "command", text); err != nil {
		t.Errorf("another user: %v", err)
	}
	l.Note("command ended", ann)
	for range 400 {
		if err := l.Begin("request", root, "command", text); err != nil {
			t.Fatalf("root: %v", err)
		}
	}
	at = at.Add(time.Hour)
	if err := l.Begin("request", ann); err != nil {
		t.Errorf("an hour later: %v", err)
	}
	l.Close(time.Minute)
	ended := 0
	for _, entry := range entries(t, path) {
		if entry["event"] == "command_ended" {
			ended++
		}
	}
	if ended != 1 {
		t.Errorf("%d ends of what had begun", ended)
	}
}

// Strangers have one share, all together.
func TestStrangers(t *testing.T) {
	l, path := opened(t, Refuse, 9)
	at := time.Now()
	l.now = func() time.Time { return at }
	for i := range 2000 {
		l.Note("login refused", &Who{User: fmt.Sprint("user", i), UID: uint32(i)}, "error",
			strings.Repeat("x", 1000))
	}
	if err := l.Begin("request", ann); err != nil {
		t.Error(err)
	}
	l.Close(time.Minute)
	list := entries(t, path)
	if n := len(list); n < 200 || n > 264 {
		t.Errorf("%d entries", n)
	}
	counted := false
	for _, entry := range list {
		if n, _ := entry["entries"].(float64); entry["event"] == "dropped" {
			counted = int(n)+len(list)-2 == 2000
		}
	}
	if !counted {
		t.Errorf("what was dropped is not counted: %v", list[len(list)-2:])
	}
}

// Two daemons write one file, which both of them rename: each entry is there once.
func TestTwoDaemons(t *testing.T) {
	a, path := opened(t, Drop, 50)
	b := openAt(t, path, Drop, 50)
	var both sync.WaitGroup
	const each = 3000
	for i, l := range []*Log{a, b} {
		both.Go(func() {
			for n := range each {
				l.Note("did", root, "log", i, "n", n, "x", strings.Repeat("x", 1500))
			}
			l.Close(time.Minute)
		})
	}
	both.Wait()
	seen := map[string]int{}
	files, _ := filepath.Glob(path + "*")
	for _, file := range files {
		if info, _ := os.Stat(file); info.Size() > 1<<20 {
			t.Errorf("%s has %d bytes", file, info.Size())
		}
		for _, entry := range entries(t, file) {
			seen[fmt.Sprint(entry["log"], " ", entry["n"])]++
		}
	}
	if len(files) < 9 || len(seen) != 2*each {
		t.Errorf("%d files, %d different entries", len(files), len(seen))
	}
	for entry, n := range seen {
		if n != 1 {
			t.Errorf("%s is there %d times", entry, n)
		}
	}
}

// Of renamed files, as many are kept as were asked for; one that somebody else renames is let go.
func TestRotation(t *testing.T) {
	l, path := opened(t, Refuse, 2)
	for range 5 << 10 {
		if err := l.Begin("did", root, "x", strings.Repeat("x", 1000)); err != nil {
			t.Fatal(err)
		}
	}
	testend.Until(t, "all is written", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.queued == 0
	})
	if files, _ := filepath.Glob(path + "*"); len(files) != 3 {
		t.Errorf("%q", files)
	}
	if err := os.Rename(path, path+".theirs"); err != nil {
		t.Fatal(err)
	}
	if err := l.Begin("after", root, "x", ""); err != nil {
		t.Fatal(err)
	}
	l.Close(time.Minute)
	if list := entries(t, path); len(list) != 1 || list[0]["event"] != "after" {
		t.Errorf("%v", list)
	}
}

// Half a line that a killed daemon has left goes when the file is opened again.
func TestHalfALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	if err := os.WriteFile(path, []byte("{\"seq\":1}\n{\"seq\":2,"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := openAt(t, path, Refuse, 2)
	l.Note("did", ann)
	l.Close(time.Minute)
	if list := entries(t, path); len(list) != 2 || list[1]["event"] != "did" {
		t.Errorf("%v", list)
	}
}

// What others could write, or is not a file, is not opened.
func TestUnsafeFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	os.WriteFile(at("open"), nil, 0o600)
	os.Chmod(at("open"), 0o622)
	os.Symlink(at("elsewhere"), at("link"))
	syscall.Mkfifo(at("fifo"), 0o600)
	for _, name := range []string{"open", "link", "fifo", "no/directory", "."} {
		if l, err := Open(Options{Path: at(name), Size: 1 << 20, Full: Refuse}); err == nil {
			l.Close(0)
			t.Errorf("%s is opened", name)
		}
	}
}

// While the file cannot be written, new work is refused, except root's, and nobody waits for long.
// Entries wait, and are there in the end.
func TestHungFile(t *testing.T) {
	defer func(old time.Duration) { writtenTime = old }(writtenTime)
	writtenTime = 50 * time.Millisecond
	l, path := opened(t, Refuse, 2)
	other, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := lock(other); err != nil { // as a disk that hangs
		t.Fatal(err)
	}
	l.Note("command ended", ann)
	if err := l.Begin("request", ann); !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	if err := l.Begin("request", root); err != nil {
		t.Errorf("root: %v", err)
	}
	unlock(other)
	testend.Until(t, "it is written", func() bool { return len(entries(t, path)) == 3 })
	if err := l.Begin("request", ann); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// While the file hangs, what one user has noted, however long, keeps nobody else's entries out. A
// command of a MiB that needs six in JSON is noted whole.
func TestShareOfQueue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	l, err := Open(Options{Path: path, Size: 64 << 20, Keep: 2, Full: Drop,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(time.Minute) })
	other, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := lock(other); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 500_000)
	for range 30 {
		l.Begin("request", ann, "command", long)
	}
	for range 1000 {
		l.Begin("request", bob, "command", "small")
	}
	unlock(other)
	testend.Until(t, "it is written", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.queued == 0
	})
	count := map[any]int{}
	for _, entry := range entries(t, path) {
		count[entry["user"]]++
	}
	if count["ann"] != 4 || count["bob"] != 1000 {
		t.Errorf("%v", count)
	}
	l.Begin("request", ann, "command", strings.Repeat("\x01", 1<<20))
	l.Close(time.Minute)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), `\u0001`); n != 1<<20 {
		t.Errorf("%d of its bytes are there", n)
	}
}

// On a full disk no line is written in part, and new work is refused; with Drop it is done.
func TestFullDisk(t *testing.T) {
	for _, full := range []string{Refuse, Drop} {
		t.Run(full, func(t *testing.T) {
			l, path := opened(t, full, 2)
			fulldisk.Run(t, 10_000, func(t *testing.T) {
				for i := 0; l.Begin("request", ann, "x", strings.Repeat("x", 1000)) == nil; i++ {
					if full == Drop && i == 20_000 {
						break
					}
					if i > 20_000 {
						t.Fatal("nothing is refused")
					}
				}
				// what is queued is written together, or not at all
				if n := len(entries(t, path)); full == Refuse && n < 5 || n > 9 {
					t.Errorf("%d entries", n)
				}
				l.mu.Lock()
				defer l.mu.Unlock()
				if l.trouble == nil || full == Drop && l.dropped == 0 {
					t.Errorf("%v, %d dropped", l.trouble, l.dropped)
				}
			})
		})
	}
}

// With Drop, work that is not noted any more begins all the same; what is noted of it is bounded,
// so that nobody else's entries are renamed away.
func TestShareOfWhatBegins(t *testing.T) {
	l, path := opened(t, Drop, 2)
	l.Note("command ended", bob)
	for range 100 {
		l.Begin("request", ann, "command", strings.Repeat("x", 50_000))
		l.Note("starting command", ann, "command", strings.Repeat("x", 50_000))
		l.Note("command ended", ann)
	}
	l.Close(time.Minute)
	list := entries(t, path)
	if list[0]["user"] != "bob" || len(list) < 6 || len(list) > 12 {
		t.Errorf("%d entries, the first is about %v", len(list), list[0]["user"])
	}
}

// What a user can have noted without a request is bounded as well, and only the owner reads the
// file: who reads it could lock it.
func TestAtWill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	l := openAt(t, path, Refuse, 9)
	at := time.Now()
	l.now = func() time.Time { return at }
	for range 2000 {
		l.Note("request refused", ann, "message", strings.Repeat("x", 1000))
	}
	l.Note("command ended", ann)
	l.Note("request refused", root)
	l.Close(time.Minute)
	if n := len(entries(t, path)); n < 200 || n > 265 {
		t.Errorf("%d entries", n)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}
