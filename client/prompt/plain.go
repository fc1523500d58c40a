package prompt

import (
	"context"
	"fmt"
	"io"
	"strings"

	"minissh/client/editor"
	"minissh/client/syntax"
)

// incomplete says whether a text needs more lines to be a command.
func (l *loop) incomplete(text string) bool {
	if l.cfg.Command == nil || l.isOurs(text) {
		return false
	}
	command := l.cfg.Command()
	defer command.Stop()
	return command.Line(text)
}

// command is Config.Command: the language is that of the shell on the other side. While a line is
// edited nobody waits to learn which that is.
func (r *runner) command() *syntax.Command {
	r.mu.Lock()
	s := r.shell
	r.mu.Unlock()
	if s == nil {
		return syntax.New("")
	}
	if r.notes == nil {
		select {
		case <-s.begun:
		case <-r.conn.Session.Done():
		}
	}
	select {
	case <-s.begun:
		return syntax.New(s.name)
	default:
		return syntax.New("")
	}
}

// isOurs says whether the prompt itself understands a line: such a line is whole.
func (l *loop) isOurs(line string) bool {
	line = strings.TrimSpace(line)
	name, _ := cutWord(line)
	_, ours := l.builtins[name]
	return line == "" || ours || isLocal(line)
}

// cutWord cuts the first word off a line. A text of several lines has none: it is for the other
// side as it is.
func cutWord(line string) (word, rest string) {
	if strings.Contains(line, "\n") {
		return "", ""
	}
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		return line[:i], strings.TrimSpace(line[i:])
	}
	return line, ""
}

// isLocal says whether a line is for this machine: !COMMAND. With a blank after the ! it is the
// shell's "not".
func isLocal(line string) bool {
	return line == "!" || len(line) > 1 && line[0] == '!' && line[1] != ' ' && line[1] != '\t'
}

// readPlain reads a command where nothing is edited.
func (l *loop) readPlain(ctx context.Context) (string, error) {
	text, err := l.plainCommand(ctx)
	if err != nil || l.face.terminal == nil {
		return text, err
	}
	line, err := l.history.Enter(text)
	if err == nil && line != text {
		fmt.Fprintln(l.face.terminal, line)
	}
	return line, err
}

// plainCommand reads a line, and those that it needs besides.
func (l *loop) plainCommand(ctx context.Context) (string, error) {
	line, err := l.plain.Read(ctx, l.label())
	if err != nil || l.cfg.Command == nil || l.isOurs(line) {
		return line, err
	}
	command := l.cfg.Command()
	defer command.Stop()
	var text strings.Builder
	text.WriteString(line)
	for command.Line(line) {
		var next string
		if next, err = l.plain.Read(ctx, editor.NextRow); err == io.EOF {
			break // the shell says what is missing
		} else if err != nil {
			return "", err
		}
		line = next
		if text.WriteString("\n" + line); text.Len() > editor.MaxLine {
			// What follows in the input may be the rest of it, and must not run.
			return "", fmt.Errorf("a command of several lines has more than %d bytes (1 MiB); "+
				"neither it nor what follows was run", editor.MaxLine)
		}
	}
	return text.String(), nil
}
