package editor

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"minissh/client/syntax"
	"minissh/client/terminal"
)

// expand replaces in a line what refers to lines before it, as a shell's history does: !! is the
// line before, !$ its last word, !N the line of that number, !-N the one that is so many back, and
// !WORD, inside a line, the last that begins with it, if there is one. Single quotes and a
// backslash keep a !, and so does a text of several lines, which is a program. A ! at the beginning
// that a word follows is a line for this machine, and stays.
func (h *History) expand(line string) (string, error) {
	if !strings.Contains(line, "!") || strings.Contains(line, "\n") {
		return line, nil
	}
	var b strings.Builder
	single, double := false, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\'' && !double:
			single = !single
		case c == '"' && !single:
			double = !double
		case c == '\\' && !single && i+1 < len(line):
			b.WriteByte(c)
			i++
		case c == '!' && !single:
			event, size := eventAt(line, i)
			if size == 0 {
				break
			}
			text, ok := h.event(event)
			if !ok && isWord(event) {
				break
			}
			if !ok {
				return "", fmt.Errorf("!%s: the history has no such line; nothing was run "+
					"(\\! is a plain !)", terminal.Printable(event))
			}
			if b.WriteString(text); b.Len() > MaxLine {
				return "", tooLong(b.Len())
			}
			i += size
			continue
		}
		b.WriteByte(line[i])
	}
	return b.String(), tooLong(b.Len())
}

// eventAt is what follows the ! at i, if it refers to the history; size 0: it does not.
func eventAt(line string, i int) (event string, size int) {
	before, rest := strings.TrimSpace(line[:i]), line[i+1:]
	if strings.HasSuffix(line[:i], "$") || strings.HasSuffix(line[:i], "[") ||
		strings.HasSuffix(line[:i], "${") || rest == "" {
		return "", 0
	}
	if rest[0] == '!' || rest[0] == '$' {
		return rest[:1], 1
	}
	number := strings.TrimPrefix(rest, "-")
	digits := len(number) - len(strings.TrimLeft(number, "0123456789"))
	if digits > 0 {
		size = len(rest) - len(number) + digits
		return rest[:size], size
	}
	last, _ := utf8.DecodeLastRuneInString(line[:i])
	if before == "" || !unicode.IsSpace(last) || !isWord(rest) {
		return "", 0
	}
	size = strings.IndexFunc(rest, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(";&|()<>'\"`", r)
	})
	if size < 0 {
		size = len(rest)
	}
	return rest[:size], size
}

// isWord says whether a text begins as the words do that refer to a line by its beginning.
func isWord(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return unicode.IsLetter(first) || strings.ContainsRune("_./", first)
}

// event is the text that a reference to the history is replaced by.
func (h *History) event(event string) (string, bool) {
	n, err := strconv.Atoi(event)
	switch {
	case err == nil && n < 0:
		n = -n - 1
	case err == nil:
		n = h.Len() - n
	case event == "!" || event == "$":
		n = 0
	default:
		n = 0
		for n < h.Len() && !strings.HasPrefix(h.At(n), event) {
			n++
		}
	}
	if n < 0 || n >= h.Len() {
		return "", false
	}
	if event == "$" {
		return lastWord(h.At(n)), true
	}
	return h.At(n), true
}

// lastWord is the last word of a line, with its quotes; an operator of the shell is one too.
func lastWord(line string) string {
	const operators = ";&|<>()"
	begin, end := 0, 0
	for i := 0; i < len(line); {
		if line[i] == ' ' || line[i] == '\t' || line[i] == '\n' {
			i++
			continue
		}
		if begin = i; strings.IndexByte(operators, line[i]) >= 0 {
			for i < len(line) && line[i] == line[begin] {
				i++
			}
		} else {
			i += syntax.WordSize(line[i:], " \t\n"+operators)
		}
		end = i
	}
	return line[begin:end]
}
