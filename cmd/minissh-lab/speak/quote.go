package speak

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Quote returns b as one line in quotes, as Go and nearly as Python would write it:
// printable characters stay, everything else is an escape. The quotes are double
// ones, or, as in Python, the kind that b does not contain: JSON stays readable.
func Quote(b []byte) string {
	quoted := strconv.Quote(string(b))
	if bytes.IndexByte(b, '"') < 0 || bytes.IndexByte(b, '\'') >= 0 {
		return quoted
	}
	return "'" + strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`) + "'"
}

// QuoteShort is Quote with at most n bytes of b shown and the number of the
// others said.
func QuoteShort(b []byte, n int) string {
	if len(b) <= n {
		return Quote(b)
	}
	return fmt.Sprintf("%s…(+%d)", Quote(b[:n]), len(b)-n)
}

// Clean makes text from the other side safe for a terminal: newlines and tabs
// stay, control characters, direction marks and bytes that are not UTF-8 become
// visible escapes, \r\n becomes \n.
func Clean(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	var out strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == '\n' || r == '\t':
			out.WriteRune(r)
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&out, `\x%02x`, s[0])
		case unicode.IsPrint(r):
			out.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&out, `\x%02x`, r)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
		s = s[n:]
	}
	return out.String()
}

// Width is the number of terminal columns that s takes: a Chinese character
// takes two.
func Width(s string) int {
	n := 0
	for _, r := range s {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n += 2
		default:
			if !unicode.Is(unicode.Mn, r) {
				n++
			}
		}
	}
	return n
}
