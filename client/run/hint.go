package run

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/term"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/report"
)

// complaints are what programs say, on standard error and in lower case, when they miss a terminal:
// top, vim, less, tmux, sudo, su, stty, bash -i, htop, nano, whiptail.
var complaints = [][]byte{
	[]byte("term environment variable not set"), []byte("not a terminal"), []byte("not a tty"),
	[]byte("inappropriate ioctl for device"),
	[]byte("not from a terminal"), []byte("not to a terminal"), []byte("no tty present"),
	[]byte("run from a terminal"),
	[]byte("a terminal is required"), []byte("failed tty get"), []byte("error opening terminal"),
	[]byte("cannot open tty"), []byte("tty required"), []byte("eof when reading a line"),
}

// fullScreens switch a terminal to its alternate screen (xterm's control sequences).
var fullScreens = [][]byte{[]byte("\x1b[?1049h"), []byte("\x1b[?1047h"), []byte("\x1b[?47h")}

// firstBytes is how much of the output may show that a program is for a terminal: what comes later
// is hardly the program's own beginning.
const firstBytes = 4096

// silent are programs that fail without a word if they miss a terminal.
var silent = []string{"top", "htop", "atop", "mc", "tmux", "screen"}

// Complaint looks for such words in what passes. Its writers are used by one goroutine.
type Complaint struct {
	tail  []byte // of what passed, for words in two pieces
	begin []byte // of the output
	found bool
}

// Without says whether a command failed because it had no terminal, by what it said or, if it said
// nothing, by its name.
func (c *Complaint) Without(line string, code int) bool {
	name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return c.found || code != 0 && len(c.tail) == 0 && slices.Contains(silent, path.Base(name))
}

const longestComplaint = 64

// pass looks at more, and says whether the first complaint is in it.
func (c *Complaint) pass(p []byte) bool {
	if c.found {
		return false
	}
	text := bytes.ToLower(append(c.tail, p...))
	for _, words := range complaints {
		if bytes.Contains(text, words) {
			c.found = true
			return true
		}
	}
	c.tail = append([]byte(nil), text[max(0, len(text)-longestComplaint):]...)
	return false
}

// Watching is a writer that looks at what it passes on.
func (c *Complaint) Watching(to io.Writer) io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		c.pass(p)
		return to.Write(p)
	})
}

// WatchingOutput is a writer that looks at what it passes on to standard output, where only what
// fills a screen counts.
func (c *Complaint) WatchingOutput(to io.Writer) io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		c.passOutput(p)
		return to.Write(p)
	})
}

// passOutput looks at more output, and says whether it is the first to show that.
func (c *Complaint) passOutput(p []byte) bool {
	if c.found || len(c.begin) == firstBytes {
		return false
	}
	c.begin = append(c.begin, p[:min(len(p), firstBytes-len(c.begin))]...)
	for _, sequence := range fullScreens {
		c.found = c.found || bytes.Contains(c.begin, sequence)
	}
	return c.found
}

// missing is for a command without a pty whose user is at a terminal: it returns stderr to write
// to, and what to call at its end with the exit code. A program's complaint is followed by the hint
// at once, since some programs (vim) go on all the same.
func missing(d *dial.Dialer, stdin *os.File, stderr io.Writer) (io.Writer, func(code int)) {
	if stdin == nil || len(d.Options.Command) == 0 ||
		d.Options.SessionType == options.SessionSubsystem || !d.Messages.Interactive() ||
		!term.IsTerminal(int(stdin.Fd())) {
		return stderr, func(int) {}
	}
	var seen Complaint
	line := strings.Join(d.Options.Command, " ")
	hint := func() {
		fmt.Fprintf(d.Messages, "minissh: hint: it wants a terminal: minissh -t %s %s\n",
			report.Target(d.Options), AsTyped(line))
	}
	watched := writerFunc(func(p []byte) (int, error) {
		n, err := stderr.Write(p)
		if seen.pass(p) {
			hint()
		}
		return n, err
	})
	return watched, func(code int) {
		if !seen.found && seen.Without(line, code) {
			hint()
		}
	}
}

// AsTyped is a command line for a message.
func AsTyped(line string) string {
	const most = 60
	if runes := []rune(line); len(runes) > most {
		line = string(runes[:most]) + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, line)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
