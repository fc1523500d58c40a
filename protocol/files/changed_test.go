//go:build unix

package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// meddler passes a stream on, and does something once so many bytes have passed.
type meddler struct {
	io.WriteCloser
	after int
	do    func()
}

func (m *meddler) Write(p []byte) (int, error) {
	if m.after -= len(p); m.after <= 0 && m.do != nil {
		m.do()
		m.do = nil
	}
	return m.WriteCloser.Write(p)
}

// A file that grows, shrinks or is written to while it is read is not taken for what it was, the
// rest goes on, and what was at the target stays (FI11).
func TestChangedWhileRead(t *testing.T) {
	const size = 4 * MaxBody
	for what, change := range map[string]func(name string) error{
		"it grew while it was read": func(name string) error {
			return os.Truncate(name, size+1)
		},
		"it shrank while it was read": func(name string) error {
			return os.Truncate(name, size/2)
		},
		"it changed while it was read": func(name string) error {
			return os.Chtimes(name, time.Time{}, time.Unix(1, 0))
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir+"/src", noise(size, 1))
			write(t, dir+"/other", []byte("other"))
			write(t, dir+"/dst/src", []byte("was here"))
			place, err := OpenPlace(nil, dir+"/dst", true)
			must(t, err)
			defer place.Root.Close()
			there, here := io.Pipe()
			back, forth := io.Pipe()
			taken := make(chan Summary)
			go func() {
				s, err := Receive(there, forth, place, Options{}, nil)
				if err != nil {
					t.Error(err)
				}
				forth.Close()
				taken <- s
			}()
			var says []Event
			out := &meddler{here, size / 4, func() { must(t, change(dir+"/src")) }}
			s, err := Send(Stream{In: back, Out: out}, []Source{{Path: dir + "/src"},
				{Path: dir + "/other"}}, Options{}, func(e Event) { says = append(says, e) })
			here.Close()
			if got := <-taken; err != nil || s.Failed != 1 || s.Stored != 1 || got.Failed != 1 ||
				got.Stored != 1 {
				t.Errorf("%v %+v %+v", err, s, got)
			}
			for _, e := range says {
				if e.What == EventFailed && (e.Err.Code != CodeChanged || e.Err.Message != what) {
					t.Errorf("%+v", e.Err)
				}
			}
			if text, _ := os.ReadFile(dir + "/dst/src"); string(text) != "was here" {
				t.Errorf("there are %d bytes", len(text))
			}
			if left, _ := filepath.Glob(dir + "/dst/.minissh*"); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// A file of /proc has no size, but content: as much as fits in one record is copied; if there is
// more, the file grew.
func TestFilesWithoutSize(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not run: no /proc as Linux has it")
	}
	dir := t.TempDir()
	transfer(t, Options{}, dir+"/version", "/proc/version").fine(t)
	want, _ := os.ReadFile("/proc/version")
	if got, _ := os.ReadFile(dir + "/version"); !bytes.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	if text, _ := os.ReadFile("/proc/kallsyms"); len(text) <= MaxBody {
		t.Skip("not run: /proc/kallsyms is small")
	}
	c := transfer(t, Options{}, dir+"/kallsyms", "/proc/kallsyms")
	if failures(c.sentSays) != "kallsyms changed" {
		t.Errorf("%s", failures(c.sentSays))
	}
}

// A receiver that never answers is not told more than the protocol allows, and the sender does not
// remember more (FI5).
func TestSilentReceiver(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(dir+"/src", 0o755))
	for i := range 16_384 + 10 {
		must(t, os.Symlink("x", fmt.Sprint(dir, "/src/", i)))
	}
	for _, o := range []Options{{Recursive: true}, {Recursive: true, Resume: true}} {
		back, forth := io.Pipe()
		there, here := io.Pipe()
		entries := 0
		read := make(chan struct{})
		go func() {
			defer close(read)
			in := NewReader(there)
			for rec := (Record{}); entries < 16_384 && in.Next(&rec) == nil; entries++ {
			}
			// All that may be said was said: without an answer, the end is what the sender gets
			// next, and nothing else may come before.
			forth.Close()
			for rec := (Record{}); in.Next(&rec) == nil; entries++ {
			}
		}()
		_, err := Send(Stream{In: back, Out: here,
			Abort: func() { back.Close() }}, []Source{{Path: dir + "/src"}}, o, nil)
		here.Close()
		<-read
		if !errors.Is(err, io.ErrUnexpectedEOF) || entries != 16_384 {
			t.Errorf("%v after %d entries", err, entries)
		}
	}
}

// What is there may be the beginning of another file: then all of it comes (FI10).
func TestOtherBeginning(t *testing.T) {
	dir := t.TempDir()
	content := noise(3*MaxBody, 1)
	write(t, dir+"/src", content)
	for what, there := range map[string]struct {
		bytes []byte
		sent  int
	}{"a beginning": {content[:MaxBody+5], 2*MaxBody - 5}, "all of it": {content, 0},
		"another file":  {noise(MaxBody, 2), 3 * MaxBody},
		"more than all": {append(content, 0), 3 * MaxBody}} {
		t.Run(what, func(t *testing.T) {
			must(t, os.RemoveAll(dir+"/dst"))
			write(t, filepath.Join(dir, "dst", partialName("src")), there.bytes)
			c := transfer(t, Options{Resume: true}, dir+"/dst", dir+"/src").fine(t)
			if got, _ := os.ReadFile(dir + "/dst/src"); !bytes.Equal(got, content) ||
				c.sent.Bytes != int64(there.sent) {
				t.Errorf("%d bytes are there, %d were sent", len(got), c.sent.Bytes)
			}
			if left, _ := filepath.Glob(dir + "/dst/.minissh*"); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// With Checksum, both ends report what is there with the same content as skipped, and each counts
// every byte once.
func TestCheckedAgain(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/src/small", noise(100, 1))
	write(t, dir+"/src/large", noise(MaxBody+1, 2))
	o := Options{Recursive: true, Resume: true, Checksum: true, Total: true}
	transfer(t, o, dir+"/dst", dir+"/src").fine(t)
	c := transfer(t, o, dir+"/dst/.", dir+"/src/.").fine(t)
	if want := (Summary{Skipped: 2}); c.sent != want || c.taken != want {
		t.Errorf("%+v %+v", c.sent, c.taken)
	}
	for who, says := range map[string][]Event{"sender": c.sentSays, "receiver": c.takenSays} {
		counted := int64(0)
		for _, e := range says {
			switch e.What {
			case EventBytes:
				counted += e.Size + e.There
			case EventSkipped:
				counted += e.Size
			}
		}
		if counted != 100+MaxBody+1 {
			t.Errorf("the %s counted %d bytes", who, counted)
		}
	}
}
