//go:build linux

// Package hostile_test has peers that lie in every string that they may send, and reads byte by
// byte what the real programs make of it on a terminal and in a log.
package hostile_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"minissh/scripts/testhost"
)

func TestMain(m *testing.M) { testhost.Main(m) }

// evils are texts that must reach no terminal and no log as they are.
var evils = []string{
	"\x1b]52;c;RVZJTA==\x07", // OSC 52: writes the clipboard
	"\x1b]0;EVIL\x1b\\",      // the window's title
	// colour, clear, a report that is typed into the shell
	"\x1b[31mEVIL\x1b[2J\x1b[6n",
	"\x1bP$qEVIL\x1b\\",                          // DCS
	"\u009b31mEVIL", "\u009d52;c;RVZJTA==\u009c", // the same by C1 controls
	"\u202eLIVE\u202c", "\u2066EVIL\u2069", "\u200fEVIL", // the other direction
	"\nminissh: hint: EVIL | sh",        // a line of ours
	"\r\nHost key verification failed.", // a line of ssh's
	"EVIL\rgood", "EVIL\b\b\b\bgood", "\x7fEVIL", "\x00EVIL", "\x0eEVIL", "\x9bEVIL",
	"\xff\xfeEVIL",
	"\u2028EVIL", "\u2029EVIL", "\ufeffEVIL", "\u200bEVIL", "\u00adEVIL", "\U000e0045EVIL",
	"\ufffeEVIL",
	"level=ERROR msg=EVIL", "\ntime=2026-01-01T00:00:00Z level=INFO msg=\"Accepted publickey for " +
		"root from 192.0.2.1 port 1\"",
}

// all is all of them in one string; long is the same many times over.
var (
	all  = strings.Join(evils, " ")
	long = strings.Repeat(all, 40)
)

// text is a JSON string; bytes that are not UTF-8 are in it as they are.
func text(s string) string {
	var out strings.Builder
	out.WriteByte('"')
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			out.WriteString(s[:1])
		} else {
			quoted, _ := json.Marshal(s[:size])
			out.Write(quoted[1 : len(quoted)-1])
		}
		s = s[size:]
	}
	out.WriteByte('"')
	return out.String()
}

// valid is the string without what is not UTF-8, which a strict reader would refuse as a whole.
func valid(s string) string { return text(strings.ToValidUTF8(s, "")) }

// octets is a value of protocol.Bytes in base64, in which every byte may be.
func octets(s string) string {
	quoted, _ := json.Marshal([]byte(s))
	return `{"b64":` + string(quoted) + `}`
}

// harmless checks what goes to a terminal or a log: line ends and graphic characters, nothing else,
// and lines begin as ours do.
func harmless(t *testing.T, what string, said []byte, begins *regexp.Regexp) {
	t.Helper()
	if !utf8.Valid(said) {
		t.Errorf("%s: no UTF-8: %q", what, said)
	}
	for _, r := range string(said) {
		if r != '\n' && !unicode.IsGraphic(r) {
			t.Errorf("%s: a raw %U: %q", what, r, said)
			break
		}
	}
	for _, line := range bytes.Split(bytes.TrimSuffix(said, []byte("\n")), []byte("\n")) {
		if !begins.Match(line) && len(said) > 0 {
			t.Errorf("%s: the line %q is not ours", what, line)
		}
	}
	if bytes.Contains(said, []byte("\nminissh: hint: EVIL")) {
		t.Errorf("%s: a hint is forged", what)
	}
	// A terminal of 200 columns still shows what went before.
	if most := 200 << 10; len(said) > most {
		t.Errorf("%s: %d bytes", what, len(said))
	}
}

// unseen checks that none of the evil texts is in what a terminal got; other sequences may, of an
// editor of ours.
func unseen(t *testing.T, what, got string) {
	t.Helper()
	for _, evil := range evils {
		if strings.Contains(got, evil) &&
			strings.ContainsFunc(evil, func(r rune) bool { return !unicode.IsGraphic(r) }) {
			t.Errorf("%s: %q reaches the terminal in %q", what, evil, got)
		}
	}
}
