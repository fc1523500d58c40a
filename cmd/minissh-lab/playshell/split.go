package playshell

import "strings"

// command is one command of a line.
type command struct {
	words            []string
	onlyAfterSuccess bool // it came after &&
}

// split takes a line apart at ; and && and blanks, with single and double quotes.
// Redirections, pipes, variables and globs are plain text: this is a played shell.
func split(line string) []command {
	var done []command
	var cur command
	var word strings.Builder
	inWord := false
	endWord := func() {
		if inWord {
			cur.words = append(cur.words, word.String())
		}
		word.Reset()
		inWord = false
	}
	endCommand := func(and bool) {
		endWord()
		done = append(done, cur)
		cur = command{onlyAfterSuccess: and}
	}
	quote := rune(0)
	skip := false
	for i, r := range line {
		switch {
		case skip:
			skip = false
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				word.WriteRune(r)
			}
		case r == '\'' || r == '"':
			quote, inWord = r, true
		// also the full-width blank of an input method
		case r == ' ' || r == '\t' || r == '\r' || r == '\u3000':
			endWord()
		case r == ';' || r == '\n':
			endCommand(false)
		case strings.HasPrefix(line[i:], "&&"):
			endCommand(true)
			skip = true
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	endCommand(false)
	return done
}
