package copying

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// What a bar shows, and that it takes away what it drew.
func TestBar(t *testing.T) {
	var out bytes.Buffer
	b := &bar{out: &out}
	b.Clear()
	if out.Len() > 0 {
		t.Errorf("cleared a line that nobody drew: %q", out.String())
	}
	b.ChangeMax64(8 << 20)
	b.Describe("notes.txt")
	b.Add64(2 << 20)
	b.Add64(2 << 20) // too soon to be drawn again
	if n := strings.Count(out.String(), "\r\x1b[K"); n != 1 || strings.Contains(out.String(), "\n") {
		t.Errorf("%d drawings: %q", n, out.String())
	}
	if got, want := b.line(2*time.Second), "notes.txt           50% |█████     | 4.0 MiB of 8.0 MiB, 2.0 MiB/s, 2s left"; got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
	b.Clear()
	if !strings.HasSuffix(out.String(), "\r\x1b[K") {
		t.Errorf("a line is left: %q", out.String())
	}
}

// Neither an unknown total nor one that was too small is a reason to panic or to show more than all.
func TestBarOddTotals(t *testing.T) {
	b := &bar{}
	b.done = 5
	if line := b.line(0); !strings.Contains(line, "  0% |") {
		t.Errorf("%q", line)
	}
	b.total = 1
	if line := b.line(time.Hour); !strings.Contains(line, "100% |") || !strings.HasSuffix(line, " 0s left") {
		t.Errorf("%q", line)
	}
}
