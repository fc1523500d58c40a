package terminal

import (
	"fmt"
	"unicode"

	"golang.org/x/text/width"
)

// Columns is how many columns of a terminal a printable text takes (protocol.Quote).
func Columns(text string) (columns int) {
	for _, r := range text {
		_, n := Glyph(r)
		columns += n
	}
	return columns
}

// Glyph is how a character of the line looks, and how many columns that takes: 0 for what joins the
// character before it, 2 for East Asian wide ones and emoji (Unicode's UAX 11). What would not
// show, or would change the direction of the text, is spelled out. Terminals do not agree on joined
// emoji; each part counts here.
func Glyph(r rune) (string, int) {
	switch {
	case r < ' ':
		return "^" + string(r|0x40), 2
	case r < 0x7f:
		return string(r), 1
	case r == 0x200d || r == 0x200c: // zero width joiner and non-joiner
		return string(r), 0
	// and Hangul vowels and finals
	case unicode.In(r, unicode.Mn, unicode.Me), r >= 0x1160 && r <= 0x11ff:
		return string(r), 0
	case !unicode.IsGraphic(r) && !unicode.Is(unicode.Co, r), unicode.Is(unicode.Zl, r),
		unicode.Is(unicode.Zp, r):
		s := fmt.Sprintf("<%04X>", r)
		return s, len(s)
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return string(r), 2
	}
	return string(r), 1
}
