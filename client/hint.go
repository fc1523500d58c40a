package client

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// complaints are what programs say, on standard error and in lower case, when they miss a terminal: top, vim, less, tmux, sudo, su, stty, bash -i, htop,
// nano, whiptail.
var complaints = [][]byte{
	[]byte("term environment variable not set"), []byte("not a terminal"), []byte("not a tty"), []byte("inappropriate ioctl for device"),
	[]byte("not from a terminal"), []byte("not to a terminal"), []byte("no tty present"), []byte("run from a terminal"),
	[]byte("a terminal is required"), []byte("failed tty get"), []byte("error opening terminal"), []byte("cannot open tty"), []byte("tty required"),
}

// complaint looks for such words in what passes.
type complaint struct {
	tail  []byte // of what passed, for words in two pieces
	found bool
}

const longestComplaint = 64

// pass looks at more, and says whether the first complaint is in it.
func (c *complaint) pass(p []byte) bool {
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

// hinting is stderr, with a hint behind a program's complaint that it has no terminal, if a person at one reads it.
func (d *Dialer) hinting(stdin *os.File, stderr io.Writer) io.Writer {
	if stdin == nil || len(d.Options.Command) == 0 || !d.interactive() || !term.IsTerminal(int(stdin.Fd())) {
		return stderr
	}
	var seen complaint
	return writerFunc(func(p []byte) (int, error) {
		n, err := stderr.Write(p)
		if seen.pass(p[:n]) {
			fmt.Fprintf(d.Messages, "minissh: hint: it wants a terminal: minissh -t %s %s\n", d.Options.Alias, asTyped(strings.Join(d.Options.Command, " ")))
		}
		return n, err
	})
}

// asTyped is a command line for a message.
func asTyped(line string) string {
	const most = 60
	if runes := []rune(line); len(runes) > most {
		line = string(runes[:most]) + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, line)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
