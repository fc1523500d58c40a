package prompt

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// quote makes bytes from the other side safe for a terminal: printable characters stay, everything
// else is spelled out (\n, \x1b, \u202e), and a backslash is doubled only if something else was
// spelled out.
func quote(b []byte) string {
	if utf8.Valid(b) && bytes.IndexFunc(b, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return string(b)
	}
	var s strings.Builder
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&s, `\x%02x`, b[0])
		case r == '\\':
			s.WriteString(`\\`)
		case unicode.IsPrint(r):
			s.WriteRune(r)
		case r == '\n':
			s.WriteString(`\n`)
		case r == '\t':
			s.WriteString(`\t`)
		case r < 0x80:
			fmt.Fprintf(&s, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&s, `\u%04x`, r)
		default:
			fmt.Fprintf(&s, `\U%08x`, r)
		}
		b = b[size:]
	}
	return s.String()
}

// where names the other side.
func (l *loop) where() string {
	host := quote([]byte(l.cfg.Host))
	if l.cfg.User == "" {
		return host
	}
	return quote([]byte(l.cfg.User)) + "@" + host
}

// label is the prompt: user@host:~/dir$ and a blank, # for root.
func (l *loop) label() string {
	mark := "$ "
	if l.cfg.User == "root" {
		mark = "# "
	}
	if l.dir == nil {
		return l.where() + mark
	}
	return l.where() + ":" + quote(inHome(l.dir, l.cfg.Home)) + mark
}

// inHome writes a directory at or below home with ~.
func inHome(dir, home []byte) []byte {
	home = bytes.TrimRight(home, "/")
	if len(home) == 0 || !bytes.HasPrefix(dir, home) || len(dir) > len(home) &&
		dir[len(home)] != '/' {
		return dir
	}
	return append([]byte("~"), dir[len(home):]...)
}

// ended says how a line ended, if it failed; "" otherwise.
func ended(o Outcome) string {
	took := ""
	if o.Duration > 0 {
		took = ", " + short(o.Duration)
	}
	switch {
	case o.Signal != "":
		return "[ended by signal " + quote([]byte(strings.TrimPrefix(o.Signal, "SIG"))) + took + "]"
	case o.Code != 0:
		return fmt.Sprintf("[exit %d%s]", o.Code, took)
	}
	return ""
}

// short is a duration as a person says it.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
