//go:build unix

package transport

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func newKeyLog(t *testing.T, path string) *os.File {
	t.Helper()
	file, err := OpenKeyLog(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The file is made for its owner only, appended to, and never truncated.
func TestKeyLogIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	old := syscall.Umask(0)
	file := newKeyLog(t, path)
	syscall.Umask(old)
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	again := newKeyLog(t, path)
	for _, step := range []struct {
		to   *os.File
		line string
	}{{file, "one\n"}, {again, "two\n"}, {file, "three\n"}} {
		if _, err := step.to.WriteString(step.line); err != nil {
			t.Fatal(err)
		}
	}
	if text := read(t, path); text != "one\ntwo\nthree\n" {
		t.Errorf("%q", text)
	}
}

// A place that somebody else can read, or has prepared, is refused, and nothing is written there.
func TestKeyLogRefused(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	put := func(name string, mode fs.FileMode) string {
		if err := errors.Join(os.WriteFile(at(name), []byte("x"), 0o600),
			os.Chmod(at(name), mode)); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	for _, err := range []error{
		os.Symlink(put("target", 0o600), at("link")), os.Symlink(at("nowhere"), at("dangling")),
		os.Link(put("private", 0o600), at("hard")), syscall.Mkfifo(at("fifo"), 0o600),
		syscall.Mkfifo(at("read fifo"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	reader, err := os.OpenFile(at("read fifo"), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	cases := []struct{ path, reason, hint string }{
		{at("link"), "symbolic link", "name the file itself"},
		{at("dangling"), "symbolic link", "name the file itself"},
		{at("hard"), "hard link", ""},
		{at("fifo"), "no such device", ""}, // ENXIO: there is no reader, and nobody waits for one
		{at("read fifo"), "not a regular file", ""},
		{os.DevNull, "not a regular file", ""},
		{dir, "is a directory", ""},
		{at("no/such/dir"), "no such file", ""},
		{put("group reads", 0o640), "mode is 0640", "chmod 600 " + at("group reads")},
		{put("all read", 0o604), "mode is 0604", "chmod 600 "},
		{put("all write", 0o602), "mode is 0602", "chmod 600 "},
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(put("another's", 0o600), 1234, -1); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, struct{ path, reason, hint string }{at("another's"), "another user",
			""})
	}
	for _, c := range cases {
		file, err := OpenKeyLog(c.path)
		var refused *KeyLogError
		if !errors.As(err, &refused) || file != nil || !strings.Contains(err.Error(), c.reason) ||
			!strings.HasPrefix(refused.Hint(), c.hint) || strings.Count(err.Error(), dir) > 1 {
			t.Errorf("%s: %v", c.path, err)
		}
	}
	if _, err := os.Lstat(at("nowhere")); err == nil || read(t, at("private")) != "x" ||
		read(t, at("target")) != "x" {
		t.Error("something was written")
	}
}

// Each end logs by itself what decrypts the connection; both logs are the same. Without a writer
// nothing is written, whatever the environment says.
func TestKeyLogOfEitherEnd(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("SSLKEYLOGFILE", filepath.Join(dir, "environment"))
	pair(t)
	near, far := loopback(t)
	host, own := envelope(t), envelope(t)
	config := ServerConfig(host)
	config.KeyLogWriter = newKeyLog(t, filepath.Join(dir, "server"))
	done := make(chan error, 1)
	go func() {
		_, err := Server(far, config, nil)
		done <- err
	}()
	if _, err := Client(near, newKeyLog(t, filepath.Join(dir, "client")), own,
		anyHost); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	log := read(t, filepath.Join(dir, "client"))
	for _, label := range []string{"CLIENT_HANDSHAKE_TRAFFIC_SECRET",
		"SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"} {
		if strings.Count(log, label+" ") != 1 {
			t.Errorf("%s: %d times", label, strings.Count(log, label+" "))
		}
	}
	sorted := func(text string) map[string]bool {
		lines := map[string]bool{}
		for line := range strings.Lines(text) {
			lines[line] = true
		}
		return lines
	}
	server := sorted(read(t, filepath.Join(dir, "server")))
	for line := range sorted(log) {
		if !server[line] {
			t.Errorf("the daemon's log has no %q", line)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "environment")); err == nil {
		t.Error("the environment alone made a key log")
	}
}
