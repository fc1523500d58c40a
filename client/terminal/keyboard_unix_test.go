//go:build unix

package terminal

import (
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Two read the same standard input, as two commands of a script do: whoever does not get what came
// waits where Stop can end it.
func TestKeyboardIsShared(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	here, there := os.NewFile(uintptr(pair[0]), "here"), os.NewFile(uintptr(pair[1]), "there")
	defer here.Close()
	defer there.Close()
	shared(t, here, there)
	// A pipe is waited for so only where it can be opened again.
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	defer in.Close()
	out.Fd() // it is in blocking mode, as a shell's
	if keys := reopen(out, unix.O_RDONLY, true); keys != nil {
		keys.Close()
		shared(t, out, in)
	}
	if keys := reopen(in, unix.O_RDONLY, true); keys != nil {
		t.Error("a pipe's end that is for writing was opened for reading")
	}
}

func shared(t *testing.T, stdin, typed *os.File) {
	t.Helper()
	for range 300 {
		got, ended := make(chan bool, 9), make(chan bool)
		var all []Keyboard
		for range 4 {
			keys, err := OpenKeyboard(stdin)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, keys)
			go func() {
				n, err := keys.Read(make([]byte, 9))
				for ; err == nil; n, err = keys.Read(make([]byte, 9)) {
					got <- n == 1
				}
				ended <- n == 0 && err == io.EOF
			}()
		}
		typed.Write([]byte{'a'})
		if !<-got {
			t.Fatal("it is not what was typed")
		}
		for _, keys := range all {
			keys.Stop()
		}
		for range all {
			if !<-ended {
				t.Fatal("no end")
			}
		}
		for _, keys := range all {
			keys.Close()
		}
	}
}
