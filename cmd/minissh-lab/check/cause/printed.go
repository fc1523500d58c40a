package cause

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Shows says whether a program has printed text: as it is, or as Python shows bytes and strings
// (b'…', '…', with escapes). How it wraps, colours and marks its lines is its own affair.
func Shows(printed, text string) bool {
	want := squeeze(text)
	printed = colour.ReplaceAllString(printed, "")
	if strings.Contains(squeeze(printed), want) || lineByLine(printed, text) {
		return true
	}
	if !strings.ContainsAny(printed, `'"`) {
		return false
	}
	for _, line := range strings.Split(printed, "\n") {
		for rest := line; ; {
			i := strings.IndexAny(rest, `'"`)
			if i < 0 {
				break
			}
			if s, ok := unquote(rest[i:]); ok && strings.Contains(squeeze(s), want) {
				return true
			}
			rest = rest[i+1:]
		}
	}
	return false
}

// colour is what a terminal shows as a colour or a style.
var colour = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// lineByLine says whether each line of text is in a line of its own of what was printed, in their
// order: a program may write something before and after each.
func lineByLine(printed, text string) bool {
	lines := strings.Split(printed, "\n")
	for want := range strings.Lines(strings.TrimSpace(text)) {
		i := slices.IndexFunc(lines, func(line string) bool {
			return strings.Contains(line, strings.TrimSpace(want))
		})
		if i < 0 {
			return false
		}
		lines = lines[i+1:]
	}
	return true
}

// squeeze removes white space.
func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

// unquote reads one literal of Python's at the beginning of s, with or without its b, and gives its
// bytes. The other escapes than those that repr writes are left as they are.
func unquote(s string) (string, bool) {
	s = strings.TrimPrefix(s, "b")
	if len(s) < 2 || s[0] != '\'' && s[0] != '"' {
		return "", false
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == s[0]:
			return b.String(), true
		case c != '\\' || i+1 == len(s):
			b.WriteByte(c)
		default:
			i++
			switch e := s[i]; {
			case e == 'n':
				b.WriteByte('\n')
			case e == 'r':
				b.WriteByte('\r')
			case e == 't':
				b.WriteByte('\t')
			case e == 'x' && i+2 < len(s):
				n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
				if err != nil {
					return "", false
				}
				b.WriteByte(byte(n))
				i += 2
			case e == 'u' && i+4 < len(s): // ascii() and json.dumps
				n, err := strconv.ParseUint(s[i+1:i+5], 16, 16)
				if err != nil {
					return "", false
				}
				b.WriteRune(rune(n))
				i += 4
			default:
				b.WriteByte(e)
			}
		}
	}
	return "", false
}

// Sent is an answer as it went to a client.
type Sent struct {
	Framing int   // bytes of length and header before the text; a bare recv takes them too
	Pieces  []int // how many bytes were sent at a time, framing included
}

// buffers are what people write into recv's brackets, and 1024, the course's own.
var buffers = []int{2048, 4096, 8192, 10240, 16384, 20480, 32768, 65535, 65536}

// clear is how many equal characters are more than chance.
const clear = 4

// atomic is how much arrives at once on this machine if it is sent at once, in bytes: a segment of
// loopback's. What is longer may be read in parts that nobody chose.
const atomic = 60_000

// Printed says why a client has printed less than the text that it was sent. nil: what it printed
// does not prove anything.
func Printed(printed, text string, sent Sent) *Belief {
	n := prefix(printed, text)
	if n == len(text) {
		return nil
	}
	if n < min(clear, len(text)) {
		switch tail := suffix(printed, text); {
		case tail < clear:
			return nil
		case len(text)-tail <= 1024:
			return ReadsTooMuch
		}
		return KeepsLastPiece
	}
	cut := func(at int) bool {
		return n == whole(text, at) || n == whole(text, at-sent.Framing)
	}
	switch {
	case len(sent.Pieces) > 1:
		if n == whole(text, sent.first()) {
			return BreakWhenShort
		}
	case cut(1024), sent.Framing == 0 && len(text) <= 1024:
		return OneRecv // one that is even smaller, too
	case n == overCounted(len(text)):
		return OverCounting
	case len(text) <= atomic:
		for _, size := range buffers {
			if cut(size) {
				return BiggerBuffer
			}
		}
	}
	return nil
}

// Part says whether a program has printed the beginning of text and not all of it.
func Part(printed, text string) bool {
	n := prefix(printed, text)
	return n > 0 && n < len(text)
}

// first is how much of the text the first piece has that has any.
func (s Sent) first() int {
	sum := 0
	for _, n := range s.Pieces {
		if sum += n; sum > s.Framing {
			return sum - s.Framing
		}
	}
	return 0
}

// suffix is how many bytes of text's end the program printed at the end of a line, without those of
// its beginning.
func suffix(printed, text string) (longest int) {
	text = strings.TrimRight(text, "\n")
	last := text[strings.LastIndexByte(text, '\n')+1:]
	for rest := printed; ; {
		i := strings.Index(rest, last)
		if i < 0 {
			return longest
		}
		at := len(printed) - len(rest) + i + len(last)
		n := 0
		for n < at && n < len(text) && printed[at-1-n] == text[len(text)-1-n] {
			n++
		}
		longest = max(longest, n)
		rest = rest[i+1:]
	}
}

// overCounted is how much of total a client receives that counts all it has after each recv(1024).
func overCounted(total int) int {
	have := 0
	for counted := 0; counted < total && have < total; counted += have {
		have = min(have+1024, total)
	}
	return have
}

// prefix is how many bytes of text's beginning are in printed, the longest such part.
func prefix(printed, text string) int {
	longest := 0
	for i := 0; i < len(printed); i++ {
		n := 0
		for i+n < len(printed) && n < len(text) && printed[i+n] == text[n] {
			n++
		}
		longest = max(longest, n)
	}
	return whole(text, longest)
}

// whole is at, or the beginning of the character that at is inside of.
func whole(text string, at int) int {
	for at > 0 && at < len(text) && !utf8.RuneStart(text[at]) {
		at--
	}
	return at
}
