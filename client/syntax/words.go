package syntax

import (
	"iter"
	"strings"
)

// WordSize is how many bytes of a text are its first word: what comes before one of some characters
// that is not in quotes.
func WordSize(text, ends string) int {
	for i, c := range Unquoted(text) {
		if strings.IndexByte(ends, c) >= 0 {
			return i
		}
	}
	return len(text)
}

// Unquoted are the bytes of a text, with their places, that a shell reads as more than themselves:
// those that are neither in quotes nor after a backslash.
func Unquoted(text string) iter.Seq2[int, byte] {
	return func(yield func(int, byte) bool) {
		escaped, quoted := false, byte(0)
		for i := range len(text) {
			c := text[i]
			switch {
			case escaped:
				escaped = false
			case c == '\\' && quoted != '\'':
				escaped = true
			case quoted != 0 && c == quoted:
				quoted = 0
			case quoted != 0:
			case c == '\'' || c == '"':
				quoted = c
			case !yield(i, c):
				return
			}
		}
	}
}
