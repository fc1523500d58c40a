package editor

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestHistoryFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a", "history")
	h := OpenHistory(file)
	for i := range 1500 {
		h.Add(strings.Repeat("x", i%7+1) + string(rune('a'+i%26)))
	}
	h.Add(" not kept")
	h.Add("last 你")
	if h.Len() != historyLines || h.At(0) != "last 你" {
		t.Errorf("%d lines, the newest is %q", h.Len(), h.At(0))
	}
	again := OpenHistory(file) // cuts it
	if again.Len() != historyLines || again.At(0) != "last 你" || again.At(999) != h.At(999) {
		t.Errorf("%d lines, the newest is %q", again.Len(), again.At(0))
	}
	data, err := os.ReadFile(file)
	if err != nil || strings.Count(string(data), "\n") != historyLines {
		t.Errorf("%d lines in the file, %v", strings.Count(string(data), "\n"), err)
	}

	// What would harm the terminal, or is not text, is left out.
	if err := os.WriteFile(file, []byte("good\nesc\x1b[31m\n\xff\nfine\r\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	h = OpenHistory(file)
	if strings.Join(h.lines, "|") != "good|fine" {
		t.Errorf("%q", h.lines)
	}
	if info, _ := os.Stat(file); info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("mode %v", info.Mode())
	}

	// No file, no directory, not a file: in memory only.
	for _, name := range []string{"", "/dev/null/x/history", t.TempDir()} {
		h := OpenHistory(name)
		h.Add("one")
		if h.Len() != 1 || h.file != "" {
			t.Errorf("%q: %+v", name, h)
		}
	}
}

// The history is bounded in memory, too, and keeps whole lines.
func TestHistoryOfLongLines(t *testing.T) {
	h := &History{}
	for i := range 12 {
		h.Add(strconv.Itoa(i) + strings.Repeat("x", MaxLine/2))
	}
	total := 0
	for i := range h.Len() {
		total += len(h.At(i))
	}
	if total > historyBytes || h.bytes != total || h.Len() != 7 || len(h.At(0)) != MaxLine/2+2 {
		t.Errorf("%d lines, %d bytes, counted as %d", h.Len(), total, h.bytes)
	}
	file := t.TempDir() + "/history"
	h = OpenHistory(file)
	long := strings.Repeat("a row\n", MaxLine/8) + "\tend"
	h.Add(long)
	h.Add("not a line of the file: \x1b")
	h.Add("nor this: " + string(newlineRune))
	again := OpenHistory(file)
	if again.Len() != 1 || again.At(0) != long {
		t.Errorf("%d lines, the newest of %d bytes", again.Len(), len(again.At(0)))
	}
	if err := again.Clear(); err != nil || again.Len() != 0 || OpenHistory(file).Len() != 0 {
		t.Errorf("%v: it is not forgotten", err)
	}
}
