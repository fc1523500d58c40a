//go:build linux

package tty

import (
	"maps"
	"slices"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"minissh/protocol"
)

func open(t *testing.T) int {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip("not run: needs a pty: ", err)
	}
	t.Cleanup(func() { slave.Close(); master.Close() })
	return int(slave.Fd())
}

// One terminal takes over the modes of another; the second differed in every mode before.
func TestModesCarried(t *testing.T) {
	from, to := open(t), open(t)
	tio, err := unix.IoctlGetTermios(from, unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(){
		func() {},
		func() { tio.Lflag ^= ^uint32(0) >> 1; tio.Iflag ^= 0x7fff },
		func() { tio.Cc[unix.VERASE], tio.Cc[unix.VINTR], tio.Cc[unix.VEOL] = 8, 3, 0 },
	} {
		change()
		if err := unix.IoctlSetTermios(from, unix.TCSETS, tio); err != nil {
			t.Fatal(err)
		}
		want := Modes(from)
		other := map[string]int64{"later": 7}
		for name, value := range want {
			if other[name] = 1 - value; name[0] == 'v' {
				other[name] = (value + 1) % 254
			}
		}
		if err := SetModes(to, other); err != nil {
			t.Fatal(err)
		}
		if err := SetModes(to, want); err != nil {
			t.Fatal(err)
		}
		if got := Modes(to); !maps.Equal(got, want) {
			t.Errorf("%v became %v", want, got)
		}
		if err := (&protocol.PTY{Modes: want}).Check(); err != nil {
			t.Errorf("cannot be sent: %v", err)
		}
	}
	if want := Modes(from); want["veol"] != 255 || want["verase"] != 8 {
		t.Errorf("a character that is off is %d, backspace %d", want["veol"], want["verase"])
	}
}

func TestSizeCarried(t *testing.T) {
	fd := open(t)
	for _, want := range []protocol.Size{{Rows: 24, Cols: 80, Width: 640, Height: 480}, {},
		{Rows: 65535, Cols: 65535, Width: 65535, Height: 65535}} {
		if err := SetSize(fd, want); err != nil || Size(fd) != want {
			t.Errorf("%+v became %+v, %v", want, Size(fd), err)
		}
	}
}

// What is not a terminal has neither.
func TestNoTerminal(t *testing.T) {
	if Modes(-1) != nil || Size(-1) != (protocol.Size{}) || SetModes(-1, nil) == nil {
		t.Error("a descriptor that is not a terminal was believed")
	}
}

// Every mode that this system has is one whose value is checked before (TE1).
func TestModesAreKnown(t *testing.T) {
	names := slices.Collect(maps.Keys(switches))
	each(func(name string, _ int) { names = append(names, name) })
	for _, name := range names {
		if (&protocol.PTY{Modes: map[string]int64{name: -1}}).Check() == nil {
			t.Errorf("the value of %s is not checked", name)
		}
	}
}
