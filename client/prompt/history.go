package prompt

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"minissh/protocol/wholeline"
)

const (
	// historyLines is how many lines are kept, in memory and in the file.
	historyLines = 1000
	// historyBytes is the most that is read of the file: its end.
	historyBytes = 4 << 20
)

// history keeps lines for the editor and, in a file, for the next time. The file has one line of
// text for each; several prompts at once append theirs as they come. It holds what was typed, with
// newlines as newlineRune. If the file cannot be used, the prompt works without it.
type history struct {
	lines []string // the oldest first
	file  string   // "": memory only
}

// openHistory reads the file, and shortens it when it has grown beyond historyLines.
func openHistory(file string) *history {
	h := &history{}
	if file == "" || os.MkdirAll(filepath.Dir(file), 0o700) != nil {
		return h
	}
	info, err := os.Lstat(file)
	if err == nil && !info.Mode().IsRegular() || err != nil && !os.IsNotExist(err) {
		return h
	}
	h.file = file
	if err != nil {
		return h
	}
	data, err := readEnd(file)
	if err != nil {
		return &history{}
	}
	if info.Mode().Perm()&0o077 != 0 {
		os.Chmod(file, 0o600)
	}
	count := 0
	for line := range bytes.Lines(data) {
		count++
		if s := string(bytes.TrimRight(line, "\r\n")); sound(s) {
			h.add(s)
		}
	}
	if count > historyLines || info.Size() > historyBytes {
		h.rewrite()
	}
	return h
}

func readEnd(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size, err := f.Seek(0, io.SeekEnd); err != nil {
		return nil, err
	} else if _, err := f.Seek(max(0, size-historyBytes), io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, historyBytes))
}

// sound says whether a line can be edited.
func sound(line string) bool {
	return utf8.ValidString(line) && len(line) <= 4*4096 &&
		!strings.ContainsFunc(line, unicode.IsControl)
}

// rewrite replaces the file by what is kept.
func (h *history) rewrite() {
	f, err := os.CreateTemp(filepath.Dir(h.file), ".history-") // mode 0600
	if err != nil {
		return
	}
	_, err = f.WriteString(strings.Join(h.lines, "\n") + "\n")
	if closeErr := f.Close(); err != nil || closeErr != nil || os.Rename(f.Name(), h.file) != nil {
		os.Remove(f.Name())
	}
}

// add keeps a line unless it is empty, begins with a blank, or repeats the last.
func (h *history) add(line string) (kept bool) {
	if strings.TrimSpace(line) == "" || line[0] == ' ' || len(h.lines) > 0 &&
		h.lines[len(h.lines)-1] == line {
		return false
	}
	if h.lines = append(h.lines, line); len(h.lines) > historyLines {
		h.lines = h.lines[len(h.lines)-historyLines:]
	}
	return true
}

// Add keeps a line, in the file too.
func (h *history) Add(line string) {
	if !h.add(line) || h.file == "" {
		return
	}
	f, err := os.OpenFile(h.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	wholeline.Append(f, line+"\n") // lines of several prompts do not mix
}

// Len is how many there are.
func (h *history) Len() int { return len(h.lines) }

// At is the line that is so many back; 0 is the newest.
func (h *history) At(i int) string { return h.lines[len(h.lines)-1-i] }
