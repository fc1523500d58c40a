package cp

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"minissh/client/terminal"
)

// drawEvery is the least time between two drawings of a bar.
const drawEvery = 100 * time.Millisecond

// bar draws one line of progress over and over: what is copied, how much of it all is done, how
// fast, and how long it will take. A library for these few lines would add a web server and
// compressors, which every start of a client would pay for.
type bar struct {
	out         io.Writer
	width       func() int // of the terminal now, in columns
	name        string     // safe for a terminal
	done, total int64      // bytes
	went        int64      // bytes of done that were not there before
	start, last time.Time  // of the first byte, of the last drawing
	drawn       bool       // a line is on the terminal
	instead     string     // what is shown instead; safe for a terminal
}

// ChangeMax64 sets how many bytes there are in all, as far as is known.
func (b *bar) ChangeMax64(total int64) { b.total = total }

// Describe names what is copied now, in the sender's words.
func (b *bar) Describe(name string) { b.name = name }

// Add64 counts bytes that are done: those that went now, and those that were there already.
func (b *bar) Add64(went, there int64) {
	b.done += went + there
	b.went += went
	now := time.Now()
	if b.start.IsZero() {
		b.start = now
	}
	if now.Sub(b.last) < drawEvery {
		return
	}
	b.draw(now)
}

// draw draws the line anew.
func (b *bar) draw(now time.Time) {
	b.last, b.drawn = now, true
	line := cutMiddle(b.instead, b.width()-1)
	if b.instead == "" && !b.start.IsZero() {
		line = b.line(now.Sub(b.start), b.width())
	}
	fmt.Fprint(b.out, "\r\x1b[K", line)
}

// nameColumns is how many columns a name gets out of 80.
const nameColumns = 18

// line is what a bar shows after some time: as much as fits in one column less than there are,
// because in the last one a terminal may begin a new line.
func (b *bar) line(lasted time.Duration, columns int) string {
	columns--
	const cells = 10
	part := 0.0
	if b.total > 0 {
		// numbers of the other side may add up to anything
		part = max(0, min(float64(b.done)/float64(b.total), 1))
	}
	filled := int(part * cells)
	percent := fmt.Sprintf(" %3.0f%%", part*100)
	drawing := fmt.Sprintf(" |%s%s|", strings.Repeat("█", filled),
		strings.Repeat(" ", cells-filled))
	amount := fmt.Sprintf(" %s of %s", size(b.done), size(b.total))
	rate, left := "", ""
	if seconds := lasted.Seconds(); seconds >= 1 && b.went > 0 {
		rate = fmt.Sprintf(", %s/s", size(int64(float64(b.went)/seconds)))
		left = fmt.Sprintf(", %v left",
			time.Duration(float64(lasted)*float64(max(b.total-b.done, 0))/float64(b.went)).Round(
				time.Second))
	}
	for _, rest := range []string{percent + drawing + amount + rate + left,
		percent + amount + rate + left, percent + amount + left, percent + left, percent} {
		if room := columns - terminal.Columns(rest); room >= min(nameColumns, columns/2) ||
			rest == percent {
			name := Short(b.name, min(max(room, 0), max(nameColumns, columns/4)))
			return name + strings.Repeat(" ",
				max(0, min(nameColumns, room)-terminal.Columns(name))) + rest
		}
	}
	return ""
}

// Clear removes the line.
func (b *bar) Clear() {
	if b.drawn {
		fmt.Fprint(b.out, "\r\x1b[K")
		b.drawn = false
	}
}

// terminalWidth is how wide a terminal is at the moment.
func terminalWidth(terminal *os.File) func() int {
	return func() int {
		if columns, _, err := term.GetSize(int(terminal.Fd())); err == nil && columns > 0 {
			return columns
		}
		return 80
	}
}
