package syntax

import (
	"io"
	"iter"
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Command is a command that is read line by line.
type Command struct {
	next    func() (more, ok bool)
	stop    func()
	pending string // what the parser has not read yet
	fish    *fish  // nil: another shell
}

// New begins a command for a shell, which is named by its path; "" is any that is like sh.
func New(shell string) *Command {
	c := &Command{}
	dialect := syntax.LangBash
	switch path.Base(shell) {
	case "fish":
		c.fish = &fish{}
		return c
	case "zsh":
		dialect = syntax.LangZsh
	}
	parser := syntax.NewParser(syntax.Variant(dialect))
	c.next, c.stop = iter.Pull(c.waits(parser))
	return c
}

// Line takes a line, or several, and says whether the command needs more of them.
func (c *Command) Line(text string) (more bool) {
	if c.fish != nil {
		return c.fish.line(text)
	}
	c.pending = text + "\n"
	more, ok := c.next() // not ok: it is not understood, from here on
	return ok && (more || continued(text))
}

// Stop is called when no more lines come.
func (c *Command) Stop() {
	if c.stop != nil {
		c.stop()
	}
}

// waits runs the parser, and yields each time that it has read everything: whether it is inside of
// something.
func (c *Command) waits(parser *syntax.Parser) iter.Seq[bool] {
	return func(yield func(bool) bool) {
		in := reader(func(p []byte) (int, error) {
			if c.pending == "" && !yield(parser.Incomplete()) {
				return 0, io.EOF
			}
			n := copy(p, c.pending)
			c.pending = c.pending[n:]
			return n, nil
		})
		for range parser.StmtsSeq(in) { // the last one may be an error
		}
	}
}

type reader func([]byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }

// continued says whether a line ends with a backslash that is not quoted by one.
func continued(text string) bool {
	return (len(text)-len(strings.TrimRight(text, `\`)))%2 == 1
}
