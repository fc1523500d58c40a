//go:build unix

package access

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"minissh/daemon/process"
)

// The daemon itself reads root's own files, with the same answers as a helper; a helper reads them
// while some do not answer.
func TestRootsOwnFilesAreReadDirectly(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not run: needs root")
	}
	root := process.Account{Name: "root", Home: t.TempDir(), Credential: &process.Credential{}}
	good, open, gone, pipe := filepath.Join(root.Home, "good"), filepath.Join(root.Home, "open"),
		filepath.Join(root.Home, "gone"), filepath.Join(root.Home, "pipe")
	for name, mode := range map[string]os.FileMode{good: 0o600, open: 0o666} {
		if err := os.WriteFile(name, []byte("the text"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	look := func(k *keyReader) {
		t.Helper()
		files, err := k.read(context.Background(), root, []string{good, open, gone, pipe})
		if err != nil || len(files) != 4 {
			t.Fatal(files, err)
		}
		if string(files[0].Text) != "the text" ||
			!strings.HasSuffix(string(files[1].Unsafe), "open") || !files[2].Missing ||
			!strings.Contains(string(files[3].Err), "not a regular file") {
			t.Errorf("%+v", files)
		}
	}
	// a helper of it cannot become root
	k := newKeyReader(process.Account{Home: "/", Shell: "/nonexistent",
		Credential: &process.Credential{UID: 1, GID: 1}})
	look(k)

	k = newKeyReader(root)
	defer k.close()
	for range cap(k.directly) {
		k.directly <- struct{}{}
	}
	look(k)
	if len(k.idle) != 1 {
		t.Error("no helper was asked")
	}
}

// An account whose files hang has one helper at a time, a new one, and keeps nobody else out, until
// they answer again.
func TestSlowAccountHasOneReader(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not run: needs root")
	}
	root := process.Account{Name: "root", Home: "/", Credential: &process.Credential{}}
	slow := process.Account{Name: "slow", UID: 65533, Home: "/nonexistent",
		Credential: &process.Credential{UID: 65533, GID: 65533}}
	k := newKeyReader(root)
	defer k.close()
	r, err := k.start()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.p.(*process.Process).Signal("STOP"); err != nil {
		t.Fatal(err)
	}
	k.idle <- r
	k.patience = 100 * time.Millisecond
	if _, err := k.read(t.Context(), slow, []string{"/nonexistent/keys"}); !errors.Is(err,
		errSlow) {
		t.Fatalf("a stopped helper: %v", err)
	}
	k.patience = time.Minute
	at, err := k.enter(t.Context(), slow.UID)
	if err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.enter(over, slow.UID); err == nil {
		t.Error("a slow account has two helpers")
	}
	for uid := range uint32(31) {
		if _, err := k.enter(t.Context(), uid); err != nil {
			t.Fatal(err)
		}
	}
	at.pass()
	at.leave()
	ready, err := k.start()
	if err != nil {
		t.Fatal(err)
	}
	k.idle <- ready
	if _, err := k.read(t.Context(), slow, []string{"/nonexistent/keys"}); err != nil {
		t.Fatal(err)
	}
	if n := len(k.idle); n != 2 {
		t.Errorf("a slow account has taken the helper that was ready for the others: there are "+
			"%d, want 2", n)
	}
	for range 6 {
		<-k.places
	}
	for range 6 {
		if _, err := k.enter(t.Context(), slow.UID); err != nil {
			t.Error(err)
		}
	}
}
