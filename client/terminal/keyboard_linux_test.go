//go:build !race

package terminal

import (
	"testing"

	"github.com/creack/pty"

	"minissh/protocol/mux"
)

// What is shown on a terminal can be written without waiting, as much as the terminal takes.
func TestDisplayTries(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip("not run: needs a pty: ", err)
	}
	defer master.Close()
	defer slave.Close()
	shown, end := Display(slave, nil)
	defer end()
	try, ok := shown.(mux.TryWriter)
	if !ok {
		t.Fatalf("%T", shown)
	}
	if n := try.TryWrite([]byte("now")); n != 3 {
		t.Fatalf("%d bytes of 3 were taken", n)
	}
	got := make([]byte, 8)
	if n, err := master.Read(got); err != nil || string(got[:n]) != "now" {
		t.Errorf("%q %v", got[:n], err)
	}
	for total, most := 0, 1<<20; ; {
		n := try.TryWrite(make([]byte, 4096))
		if total += n; n == 0 {
			break // nobody reads, and it does not wait for that
		}
		if total > most {
			t.Fatalf("a terminal that nobody reads took %d bytes", total)
		}
	}
}
