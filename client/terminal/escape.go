package terminal

import (
	"bytes"
	"fmt"
	"strings"
)

// Action is what the user asked of the client itself (ssh(1), ESCAPE CHARACTERS).
type Action int

// What can be asked for.
const (
	None Action = iota
	Disconnect
	Suspend
	Help
	CommandLine
	Connections
	Detach
)

// noEscape is the EscapeChar of -e none.
const noEscape = -1

// Escaper finds escapes in what is typed. The escape character counts only as the first character
// of a line.
type Escaper struct {
	Char      int  // a byte, or noEscape
	Job       bool // leaving ends nothing
	MayDetach bool // what runs may become a job
	midLine   bool // something of the line has been typed
	pending   bool // the escape character was typed, and what follows will decide
}

// Filter takes what was typed up to the first escape. It returns what goes to the other side, what
// the user asked for, and what must be filtered after that was done.
func (e *Escaper) Filter(typed []byte) (send []byte, action Action, rest []byte) {
	if e.Char == noEscape {
		return typed, None, nil
	}
	char := byte(e.Char)
	if n := len(typed); n > 0 && !e.pending && bytes.IndexByte(typed, char) < 0 {
		e.midLine = typed[n-1] != '\r' && typed[n-1] != '\n'
		return typed, None, nil
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
		switch {
		case c == 'd' && e.MayDetach:
			return send, Detach, typed[i+1:]
		case c == 'd' && e.Job:
			return send, Disconnect, typed[i+1:]
		}
		switch c {
		case '.':
			action = Disconnect
		case 'Z' - 64:
			action = Suspend
		case '?':
			action = Help
		case 'C':
			action = CommandLine
		case '#':
			action = Connections
		case char:
			send, e.midLine = append(send, c), true
			continue
		default: // not an escape after all
			send = append(send, char, c)
			e.midLine = c != '\r' && c != '\n'
			continue
		}
		return send, action, typed[i+1:] // the next character is still the first of a line
	}
	return send, None, nil
}

// Name is the escape character as a person types it.
func (e *Escaper) Name() string {
	if e.Char >= 0 && e.Char < ' ' {
		return "^" + string(rune(e.Char|64))
	}
	return string([]byte{byte(e.Char)})
}

// HelpText is the list that the escape ? shows. Lines end with CR LF: the terminal is in raw mode.
func (e *Escaper) HelpText() string {
	var b strings.Builder
	c, leave := e.Name(), "terminate the connection"
	if e.Job {
		leave = "detach: the job goes on"
	}
	fmt.Fprintf(&b, "%s?\r\nSupported escape sequences:\r\n", c)
	rows := [][2]string{{".", leave}}
	if e.Job {
		rows = append(rows, [2]string{"d", "the same"})
	}
	if e.MayDetach {
		rows = append(rows, [2]string{"d", "detach: what runs goes on, as a job"})
	}
	for _, row := range append(rows, [][2]string{
		{"C", "open a command line: add or take away forwards"},
		{"#", "list forwarded connections"}, {"^Z", "suspend minissh"}, {"?", "this message"},
		{c, "send the escape character by typing it twice"},
	}...) {
		fmt.Fprintf(&b, " %s%-3s - %s\r\n", c, row[0], row[1])
	}
	b.WriteString("(Note that escapes are only recognized immediately after newline. They work " +
		"while the\r\nlink is lost, too.)\r\n")
	return b.String()
}
