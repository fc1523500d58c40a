package cp

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"minissh/client/terminal"
)

// What a bar shows, and that it takes away what it drew.
func TestBar(t *testing.T) {
	var out bytes.Buffer
	b := &bar{out: &out, width: func() int { return 80 }}
	b.Clear()
	if out.Len() > 0 {
		t.Errorf("cleared a line that nobody drew: %q", out.String())
	}
	b.ChangeMax64(8 << 20)
	b.Describe("notes.txt")
	b.Add64(2<<20, 0)
	b.Add64(2<<20, 0) // too soon to be drawn again
	if n := strings.Count(out.String(), "\r\x1b[K"); n != 1 ||
		strings.Contains(out.String(), "\n") {
		t.Errorf("%d drawings: %q", n, out.String())
	}
	if got, want := b.line(2*time.Second,
		80),
		"notes.txt           50% |█████     | 4.0 MiB of 8.0 MiB, 2.0 MiB/s, 2s left"; got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
	b.Clear()
	if !strings.HasSuffix(out.String(), "\r\x1b[K") {
		t.Errorf("a line is left: %q", out.String())
	}
}

// Neither an unknown total nor one that was too small is a reason to panic or to show more than
// all.
func TestBarOddTotals(t *testing.T) {
	b := &bar{}
	b.done, b.went = 5, 5
	if line := b.line(0, 80); !strings.Contains(line, "  0% |") {
		t.Errorf("%q", line)
	}
	b.total, b.done = 1, -1<<62 // what a lying daemon can make of the sum
	if line := b.line(0, 80); !strings.Contains(line, "  0% |") {
		t.Errorf("%q", line)
	}
	b.done = 5
	if line := b.line(time.Hour, 80); !strings.Contains(line, "100% |") ||
		!strings.HasSuffix(line, " 0s left") {
		t.Errorf("%q", line)
	}
}

// However narrow a terminal and wide a name, a line fits, and says what matters most. What was
// there already tells nothing about the rate.
func TestBarFits(t *testing.T) {
	b := &bar{name: "中文的名字很长很长很长.txt", done: 3 << 20, went: 1 << 20, total: 5 << 20}
	for columns, want := range map[int]string{
		0: "  60%", 5: "  60%", 10: "中…t  60%", 20: "中文的…长.txt   60%",
		40: "中文的名…很长.txt   60%, 20s left",
		60: "中文的名…很长.txt   60% 3.0 MiB of 5.0 MiB, 20s left",
		120: "中文的名字很长很长很长.txt  60% |██████    | 3.0 MiB of 5.0 MiB, 102.4 KiB/s, 20s " +
			"left",
	} {
		got := b.line(10*time.Second, columns)
		if columns > 5 && terminal.Columns(got) >= columns {
			t.Errorf("%d columns in %d: %q", terminal.Columns(got), columns, got)
		}
		if got != want {
			t.Errorf("%d columns: %q, not %q", columns, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for _, c := range []struct {
		name    string
		columns int
		want    string
	}{
		{"a", 5, "a"}, {"abcdef", 5, "ab…ef"}, {"abcdef", 6, "abcdef"}, {"abc", 1, "…"},
		{"abc", 0, ""}, {"中文文件", 7, "中…文件"}, {"中文文件", 8, "中文文件"}, {"\x1b[31m", 20, `"\x1b[31m"`},
		{"a\nb", 4, `"a…"`}, {"\xff", 20, `"\xff"`}, {"\u202egnp", 20, `"\u202egnp"`},
	} {
		if got := Short(c.name, c.columns); got != c.want {
			t.Errorf("%q in %d: %q, not %q", c.name, c.columns, got, c.want)
		}
	}
}
