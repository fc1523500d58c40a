package process

import (
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"minissh/protocol/testend"
)

func testPipe(t *testing.T) (*output, *os.File) {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	unix.SetNonblock(fds[0], true)
	w := os.NewFile(uintptr(fds[1]), "w")
	o := newOutput(os.NewFile(uintptr(fds[0]), "r"))
	t.Cleanup(func() { o.Close(); w.Close() })
	return o, w
}

// A pipe goes from quiet to loud and back, and no byte is lost on the way.
func TestOutputLoudAndQuiet(t *testing.T) {
	o, w := testPipe(t)
	read := func(want string) {
		t.Helper()
		buf := make([]byte, 64)
		n, err := o.Read(buf)
		if err != nil || string(buf[:n]) != want {
			t.Fatalf("%q %v, want %q", buf[:n], err, want)
		}
	}
	w.WriteString("one")
	read("one")
	w.WriteString("two")
	o.Loud()
	o.Loud()
	if o.raw < 0 || o.f != nil {
		t.Fatal("still in the poller")
	}
	read("two")
	got := make(chan string)
	go func() {
		buf := make([]byte, 64)
		n, _ := o.Read(buf) // waits until it is quiet, then in the poller
		got <- string(buf[:n])
	}()
	testend.Until(t, "it is quiet", func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.f != nil
	})
	w.WriteString("three")
	if s := <-got; s != "three" {
		t.Fatalf("%q", s)
	}
	o.Loud()
	w.WriteString("four")
	w.Close()
	read("four")
	if _, err := o.Read(make([]byte, 1)); err != io.EOF {
		t.Fatal(err)
	}
}

// Close ends a Read that waits, loud or not, and leaves no descriptor.
func TestOutputClose(t *testing.T) {
	for _, loud := range []bool{false, true} {
		o, _ := testPipe(t)
		if loud {
			o.Loud()
		}
		ended := make(chan error)
		go func() { _, err := o.Read(make([]byte, 1)); ended <- err }()
		o.Close()
		if err := <-ended; err == nil {
			t.Fatal("Read succeeded")
		}
		if o.raw >= 0 || o.f != nil {
			t.Fatal("a descriptor is left")
		}
		if _, err := o.Read(make([]byte, 1)); err == nil {
			t.Fatal("Read after Close succeeded")
		}
		o.Close()
	}
}
