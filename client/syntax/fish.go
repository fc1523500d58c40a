package syntax

import "strings"

// fish is where a text in fish's language is, as far as that says whether it goes on.
type fish struct {
	blocks   int  // that have no end yet
	parens   int  // that are not closed
	quote    byte // that is open; 0: none is
	escape   bool // a backslash came before
	joined   bool // an operator that joins commands came before: | && ||
	argument bool // the next word is an argument; otherwise it is a command
	word     []byte
}

// opens are the commands that begin what ends with `end`, and whether a command follows.
var opens = map[string]bool{"begin": true, "if": true, "while": true, "for": false,
	"function": false, "switch": false}

// prefixes are other words that a command follows.
var prefixes = map[string]bool{"and": true, "or": true, "not": true, "!": true, "time": true,
	"command": true, "builtin": true}

// between are the characters that separate words.
const between = " \t\n|&;()"

// line is Command.Line.
func (f *fish) line(text string) (more bool) {
	backslash := false // at the end
	text += "\n"
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case f.escape:
			f.escape, backslash = false, c == '\n'
			f.word = append(f.word, '\\', c) // no word of the language has one
		case c == '\\':
			f.escape = true
		case f.quote != 0:
			if c == f.quote {
				f.quote = 0
			} else {
				f.word = append(f.word, c)
			}
		case c == '\'' || c == '"': // a word of the language may be quoted
			f.quote = c
		case c == '#' && (i == 0 || strings.IndexByte(between, text[i-1]) >= 0):
			i += strings.IndexByte(text[i:], '\n') - 1
		case strings.IndexByte(between, c) >= 0:
			f.end()
			f.operator(c, i > 0 && text[i-1] == c)
		default:
			f.word = append(f.word, c)
		}
		backslash = backslash && i == len(text)-1
	}
	return f.blocks > 0 || f.parens > 0 || f.quote != 0 || f.joined || backslash
}

// operator takes what ends a word.
func (f *fish) operator(c byte, again bool) {
	switch c {
	case ' ', '\t':
		return
	case '\n':
	case '(':
		f.parens++
	case ')':
		f.parens = max(0, f.parens-1)
	default:
		f.joined = c == '|' || c == '&' && again
	}
	f.argument = c == ')'
}

// end takes a word that has ended.
func (f *fish) end() {
	word := string(f.word)
	if f.word = f.word[:0]; word == "" {
		return
	}
	f.joined = false
	if f.argument {
		return
	}
	follows, opening := opens[word]
	switch {
	case opening:
		f.blocks++
	case word == "end":
		f.blocks = max(0, f.blocks-1)
	}
	f.argument = !follows && !prefixes[word]
}
