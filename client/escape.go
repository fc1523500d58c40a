package client

import (
	"bytes"
	"fmt"
	"strings"
)

// escapeAction is what the user asked of the client itself (ssh(1), ESCAPE CHARACTERS).
type escapeAction int

const (
	escapeNone escapeAction = iota
	escapeDisconnect
	escapeSuspend
	escapeHelp
)

// noEscape is the EscapeChar of -e none.
const noEscape = -1

// escaper finds escapes in what is typed: the escape character counts only behind a newline, as the first character of a line.
type escaper struct {
	char    int  // a byte, or noEscape
	midLine bool // something of the line has been typed
	pending bool // the escape character was typed, and what follows will decide
}

// filter takes what was typed up to the first escape. It returns what goes to the other side, what the user asked for, and what is still to
// be filtered after that was done.
func (e *escaper) filter(typed []byte) (send []byte, action escapeAction, rest []byte) {
	if e.char == noEscape {
		return typed, escapeNone, nil
	}
	char := byte(e.char)
	if n := len(typed); n > 0 && !e.pending && bytes.IndexByte(typed, char) < 0 {
		e.midLine = typed[n-1] != '\r' && typed[n-1] != '\n'
		return typed, escapeNone, nil
	}
	for i, c := range typed {
		if !e.pending {
			if c == char && !e.midLine {
				e.pending = true
				continue
			}
			send = append(send, c)
			e.midLine = c != '\r' && c != '\n'
			continue
		}
		e.pending = false
		switch c {
		case '.':
			action = escapeDisconnect
		case 'Z' - 64:
			action = escapeSuspend
		case '?':
			action = escapeHelp
		case char:
			send, e.midLine = append(send, c), true
			continue
		default: // no escape after all
			send = append(send, char, c)
			e.midLine = c != '\r' && c != '\n'
			continue
		}
		return send, action, typed[i+1:] // the next character stands at the start of a line still
	}
	return send, escapeNone, nil
}

// name is the escape character as a person types it.
func (e *escaper) name() string {
	if e.char >= 0 && e.char < ' ' {
		return "^" + string(rune(e.char|64))
	}
	return string([]byte{byte(e.char)})
}

// help is the list that the escape ? shows. Lines end with CR LF: the terminal is in raw mode.
func (e *escaper) help() string {
	var b strings.Builder
	c := e.name()
	fmt.Fprintf(&b, "%s?\r\nSupported escape sequences:\r\n", c)
	for _, row := range [][2]string{
		{".", "terminate the connection"}, {"^Z", "suspend minissh"}, {"?", "this message"},
		{c, "send the escape character by typing it twice"},
	} {
		fmt.Fprintf(&b, " %s%-3s - %s\r\n", c, row[0], row[1])
	}
	b.WriteString("(Note that escapes are only recognized immediately after newline.)\r\n")
	return b.String()
}
