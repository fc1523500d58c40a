package terminal

import (
	"io"
	"strings"
	"unicode/utf8"
)

// longestLine is how long a line of ReadLine may be, in bytes.
const longestLine = 4096

// ReadLine reads a line that is typed on a terminal in raw mode, beginning with what has come
// already, and shows it. Backspace and Ctrl-U take away. rest is what came after Enter; ok is false
// after Ctrl-C, Ctrl-D and the end of the keys.
func ReadLine(keys io.Reader, typed []byte, screen io.Writer) (line string, rest []byte, ok bool) {
	var text []byte
	buf := make([]byte, 256)
	for {
		for len(typed) > 0 && utf8.FullRune(typed) {
			r, size := utf8.DecodeRune(typed)
			if r == '\x1b' {
				if size = escapeSize(typed); size == 0 {
					break
				}
			}
			typed = typed[size:]
			switch {
			case r == '\r' || r == '\n':
				return string(text), typed, true
			case r == 'C'-64 || r == 'D'-64:
				return "", typed, false
			case r == 0x7f || r == '\b':
				_, last := utf8.DecodeLastRune(text)
				rubOut(screen, string(text[len(text)-last:]))
				text = text[:len(text)-last]
			case r == 'U'-64:
				rubOut(screen, string(text))
				text = nil
			case r < ' ' || len(text)+size > longestLine:
			default:
				text = utf8.AppendRune(text, r)
				shown, _ := Glyph(r)
				io.WriteString(screen, shown)
			}
		}
		n, err := keys.Read(buf)
		if err != nil {
			return "", nil, false
		}
		typed = append(typed, buf[:n]...)
	}
}

// escapeSize is how long the sequence is that a cursor key sends; 0: its end has not come.
func escapeSize(typed []byte) int {
	if len(typed) < 2 {
		return 0
	}
	if typed[1] != '[' && typed[1] != 'O' {
		return 1
	}
	for i, c := range typed[2:] {
		if c >= 0x40 && c <= 0x7e {
			return i + 3
		}
	}
	if len(typed) > 32 {
		return len(typed)
	}
	return 0
}

// rubOut takes a text away that ends where the cursor is.
func rubOut(screen io.Writer, text string) {
	io.WriteString(screen, strings.Repeat("\b \b", Columns(text)))
}
