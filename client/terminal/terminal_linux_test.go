package terminal

import (
	"io"
	"os"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"minissh/protocol"
)

func openPTY(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip("not run: needs a pty: ", err)
	}
	t.Cleanup(func() { master.Close(); slave.Close() })
	return master, slave
}

func isRaw(t *testing.T, f *os.File) bool {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return s.Lflag&(unix.ICANON|unix.ECHO|unix.ISIG) == 0
}

// The terminal is raw from Enter to Restore, Again makes it so only in between, and after Leave it
// stays what it was.
func TestRawMode(t *testing.T) {
	_, slave := openPTY(t)
	local := New(slave)
	step := func(name string, raw bool) {
		t.Helper()
		if isRaw(t, slave) != raw {
			t.Errorf("after %s raw is %v", name, !raw)
		}
	}
	enter := func() {
		if err := local.Enter(); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	local.Again()
	step("Again, before Enter", false)
	enter()
	step("Enter", true)
	enter() // keeps what the first one saved
	if err := unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, before); err != nil {
		t.Fatal(err)
	}
	step("a change by somebody else", false)
	local.Again()
	step("Again", true)
	local.Restore()
	step("Restore", false)
	local.Again()
	step("Again, after Restore", false)
	enter()
	step("Enter, once more", true)
	local.Leave()
	step("Leave", false)
	enter()
	step("Enter, after Leave", false)
	if after, _ := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS); *after != *before {
		t.Errorf("%+v is %+v afterwards", before, after)
	}
}

// A request has the terminal's type, size and modes; a type that cannot be one is left out. What is
// not a terminal is never switched, and has no modes.
func TestRequest(t *testing.T) {
	master, slave := openPTY(t)
	size := &pty.Winsize{Rows: 33, Cols: 77, X: 5, Y: 6}
	if err := pty.Setsize(master, size); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TERM", "xterm-256color")
	p := New(slave).Request()
	if string(p.Term) != "xterm-256color" || len(p.Modes) == 0 ||
		p.Size != (protocol.Size{Rows: 33, Cols: 77, Width: 5, Height: 6}) {
		t.Errorf("%+v", p)
	}
	t.Setenv("TERM", "../x")
	if p := New(slave).Request(); p.Term != nil {
		t.Errorf("the type is %q", p.Term)
	}
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, none := range []*os.File{nil, file} {
		local := New(none)
		if p := local.Request(); p.Modes != nil {
			t.Errorf("modes of no terminal: %+v", p)
		}
		if err := local.Enter(); err != nil {
			t.Error(err)
		}
		local.Again()
		local.Leave()
	}
}

// A keyboard gives what is typed, and io.EOF from Stop on, also to a Read under way; a key that
// comes after that is for whoever reads next. The same holds where the terminal cannot be opened
// once more, and for a pipe.
func TestKeyboardStops(t *testing.T) {
	master, slave := openPTY(t)
	if err := New(slave).Enter(); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for name, c := range map[string]struct{ in, typed *os.File }{
		"a terminal": {slave, master}, "a pipe": {r, w},
	} {
		k, err := OpenKeyboard(c.in)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 8)
		c.typed.WriteString("ab")
		if n, err := k.Read(got); string(got[:n]) != "ab" || err != nil {
			t.Errorf("%s: %q, %v", name, got[:n], err)
		}
		ended, reading := make(chan error), make(chan bool)
		go func() {
			close(reading)
			_, err := k.Read(make([]byte, 8))
			ended <- err
		}()
		<-reading
		k.Stop()
		k.Stop()
		if err := <-ended; err != io.EOF {
			t.Errorf("%s: %v", name, err)
		}
		c.typed.WriteString("c")
		if n, err := k.Read(got); n != 0 || err != io.EOF {
			t.Errorf("%s: %d bytes after Stop, %v", name, n, err)
		}
		if n, err := c.in.Read(got); string(got[:n]) != "c" || err != nil {
			t.Errorf("%s: the next reader has %q, %v", name, got[:n], err)
		}
		if err := k.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The keyboard ends when its terminal, or the writers of a pipe, are gone.
func TestKeyboardEnds(t *testing.T) {
	master, slave := openPTY(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for name, c := range map[string]struct{ in, typed *os.File }{
		"a terminal": {slave, master}, "a pipe": {r, w},
	} {
		k, err := OpenKeyboard(c.in)
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		c.typed.Close()
		if n, err := k.Read(make([]byte, 8)); n != 0 || err != io.EOF {
			t.Errorf("%s: %d bytes, %v", name, n, err)
		}
	}
}

// Our standard streams wait where their owner has made them non-blocking.
func TestPatientStreams(t *testing.T) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	in, out := os.NewFile(uintptr(ends[0]), "in"), os.NewFile(uintptr(ends[1]), "out")
	defer in.Close()
	defer out.Close()
	for _, fd := range ends { // after Go has taken them for blocking ones
		if err := unix.SetNonblock(fd, true); err != nil {
			t.Fatal(err)
		}
	}
	const much = 300_000 // more than a pipe holds
	written := make(chan error)
	go func() {
		n, err := patient{out, int32(ends[1])}.Write(make([]byte, much))
		if n != much && err == nil {
			err = io.ErrShortWrite
		}
		out.Close()
		written <- err
	}()
	n, err := io.Copy(io.Discard, patient{in, int32(ends[0])})
	if n != much || err != nil {
		t.Errorf("%d bytes came, %v", n, err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}
