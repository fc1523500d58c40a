package editor

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
	// historyBytes is how much of them is kept at most, and how much is read of the file: its end.
	historyBytes = 4 << 20

	// In the file, newlineRune and tabRune replace characters that cannot be in one of its lines.
	// They are the last code points there are, for private use.
	newlineRune = '\U0010FFFD'
	tabRune     = '\U0010FFFC'
)

var (
	toFile   = strings.NewReplacer("\n", string(newlineRune), "\t", string(tabRune))
	fromFile = strings.NewReplacer(string(newlineRune), "\n", string(tabRune), "\t")
)

// History keeps lines for the editor and, in a file, for the next time. The file has one line of
// text for each; several prompts at once append theirs as they come. If the file cannot be used,
// the prompt works without it.
type History struct {
	lines []string // the oldest first
	bytes int      // in lines
	file  string   // "": memory only
}

// OpenHistory reads the file, and shortens it when it has grown beyond historyLines.
func OpenHistory(file string) *History {
	h := &History{}
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
		return &History{}
	}
	if info.Mode().Perm()&0o077 != 0 {
		os.Chmod(file, 0o600)
	}
	count := 0
	for line := range bytes.Lines(data) {
		count++
		if s := string(bytes.TrimRight(line, "\r\n")); sound(s) {
			h.AddInMemory(fromFile.Replace(s))
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

// sound says whether a line can be one of the file's.
func sound(line string) bool {
	return utf8.ValidString(line) && len(line) <= historyBytes/2 &&
		!strings.ContainsFunc(line, unicode.IsControl)
}

// rewrite replaces the file by what is kept.
func (h *History) rewrite() {
	f, err := os.CreateTemp(filepath.Dir(h.file), ".history-") // mode 0600
	if err != nil {
		return
	}
	for _, line := range h.lines {
		if err == nil {
			_, err = f.WriteString(toFile.Replace(line) + "\n")
		}
	}
	if closeErr := f.Close(); err != nil || closeErr != nil || os.Rename(f.Name(), h.file) != nil {
		os.Remove(f.Name())
	}
}

// AddInMemory keeps a line, though not in the file, unless it is empty, begins with a blank, or
// repeats the last.
func (h *History) AddInMemory(line string) (kept bool) {
	if strings.TrimSpace(line) == "" || line[0] == ' ' || len(h.lines) > 0 &&
		h.lines[len(h.lines)-1] == line {
		return false
	}
	h.lines = append(h.lines, line)
	h.bytes += len(line)
	for len(h.lines) > historyLines || h.bytes > historyBytes && len(h.lines) > 1 {
		h.bytes -= len(h.lines[0])
		h.lines = h.lines[1:]
	}
	return true
}

// Add keeps a line, in the file too if it can be there.
func (h *History) Add(line string) {
	written := toFile.Replace(line)
	if !h.AddInMemory(line) || h.file == "" || !sound(written) ||
		fromFile.Replace(written) != line {
		return
	}
	f, err := os.OpenFile(h.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	wholeline.Append(f, written+"\n") // lines of several prompts do not mix
}

// Len is how many there are.
func (h *History) Len() int { return len(h.lines) }

// At is the line that is so many back; 0 is the newest.
func (h *History) At(i int) string { return h.lines[len(h.lines)-1-i] }

// Enter is for a line that was typed: it keeps the line that is to be run, and returns that. What
// cannot be run is kept in memory, to be mended.
func (h *History) Enter(typed string) (line string, err error) {
	if err = tooLong(len(typed)); err == nil {
		line, err = h.expand(typed)
	}
	if err != nil {
		h.AddInMemory(typed)
		return "", &LineError{err}
	}
	h.Add(line)
	return line, nil
}

// Clear forgets all lines, in the file too.
func (h *History) Clear() error {
	h.lines, h.bytes = nil, 0
	if h.file == "" {
		return nil
	}
	if err := os.Truncate(h.file, 0); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}
