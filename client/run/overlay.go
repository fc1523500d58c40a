package run

import (
	"fmt"
	"io"
	"strings"

	"minissh/client/terminal"
	"minissh/protocol"
)

// overlay is a line of ours on the screen of a remote program, which can be taken away again.
//
// On the alternate screen it is in the first row. What was there is lost, since nobody here knows
// it, so the program has to draw again. On the main screen it is a row of its own, inserted below
// the cursor: taking it away brings up the rows below it, and only the last row of the screen can
// be lost. A shell has nothing there; a program that draws everywhere (Placed) has to draw again.
//
// Nothing is written while output has stopped inside a control sequence or a character (vt.Screen):
// the rest of it comes with the new link, and must find the terminal as it was.
type overlay struct {
	on        bool
	alternate bool          // it is on the alternate screen
	size      protocol.Size // of the window when it was drawn
	columns   int           // of its text
	rows      int           // that it takes
	spoilt    bool          // something was written over since the last redraw
}

// smallest is the smallest window on which there is room for a line of ours.
var smallest = protocol.Size{Rows: 3, Cols: 20}

// show writes a line of ours over the screen, in the place of the one before.
func (g *gate) show(text string, size protocol.Size) {
	if !g.mu.TryLock() {
		return // output is being written
	}
	defer g.mu.Unlock()
	if g.modes == nil || g.shut || size.Rows < smallest.Rows || size.Cols < smallest.Cols {
		return
	}
	screen, o := g.modes.Screen(int(size.Rows)), &g.over
	if !screen.Free {
		return
	}
	if o.on && o.size != size {
		// terminals wrap old rows anew, or cut them
		o.rows = max(1, (o.columns+int(size.Cols)-1)/int(size.Cols))
		g.takeAway()
	}
	text = cut(text, int(size.Cols)-1)
	columns := terminal.Columns(text)
	var b strings.Builder
	switch {
	case screen.Alternate:
		b.WriteString("\x1b7")
		if screen.Origin {
			b.WriteString("\x1b[?6l")
		}
		b.WriteString("\x1b[H")
		o.spoilt = true
	case o.on:
		b.WriteString("\x1b7\r\n")
	default:
		// down and up without changing the column, so that there is a row below
		b.WriteString("\x1bD\x1bM\x1b7\r\n\x1b[m\x1b[L")
		o.spoilt = o.spoilt || screen.Placed
	}
	b.WriteString("\x1b(B\x0f") // G0 is letters
	if screen.Insert {
		b.WriteString("\x1b[4l")
	}
	b.WriteString("\x1b[0;7m" + text + "\x1b[m" + strings.Repeat(" ", max(o.columns-columns, 0)))
	if screen.Insert {
		b.WriteString("\x1b[4h")
	}
	if screen.Alternate && screen.Origin {
		b.WriteString("\x1b[?6h")
	}
	b.WriteString("\x1b8")
	*o = overlay{true, screen.Alternate, size, columns, 1, o.spoilt}
	io.WriteString(g.to, b.String())
}

// hide takes the line away.
func (g *gate) hide() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.takeAway()
}

// spoilt says, once, whether the program has to draw again.
func (g *gate) spoilt() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	spoilt := g.over.spoilt
	g.over.spoilt = false
	return spoilt
}

// takeAway is hide. The caller holds mu. Whatever was written since the line has passed through
// Write, which took it away first: so the screen is still as show found it.
func (g *gate) takeAway() {
	o := &g.over
	if !o.on {
		return
	}
	var b strings.Builder
	switch screen := g.modes.Screen(int(o.size.Rows)); {
	case o.alternate:
		b.WriteString("\x1b7")
		if screen.Origin {
			b.WriteString("\x1b[?6l")
		}
		b.WriteString("\x1b[H\x1b(B\x0f\x1b[m" + strings.Repeat(" ", o.columns))
		if screen.Origin {
			b.WriteString("\x1b[?6h")
		}
	default:
		fmt.Fprintf(&b, "\x1b7\r\n\x1b[m\x1b[%dM", o.rows)
	}
	b.WriteString("\x1b8")
	o.on, o.columns = false, 0
	io.WriteString(g.to, b.String())
}

// cut is the beginning of a text, at most so many columns wide.
func cut(text string, columns int) string {
	runes := []rune(text)
	for terminal.Columns(string(runes)) > columns {
		runes = runes[:len(runes)-1]
	}
	return string(runes)
}
