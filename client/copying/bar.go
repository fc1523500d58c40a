package copying

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// drawEvery is the least time between two drawings of a bar.
const drawEvery = 100 * time.Millisecond

// bar draws one line of progress over and over: what is copied, how much of it all is done, how fast, and how long it will take. It is a few lines of our own
// because a library for it brought a web server and compressors with it, which every start of a client paid for.
type bar struct {
	out         io.Writer // a terminal
	name        string    // fit for a terminal
	done, total int64     // bytes
	start, last time.Time // of the first byte, of the last drawing
	drawn       bool      // a line stands on the terminal
}

// ChangeMax64 tells how many bytes there are in all, as far as is known.
func (b *bar) ChangeMax64(total int64) { b.total = total }

// Describe names what is copied now.
func (b *bar) Describe(name string) { b.name = name }

// Add64 counts bytes that are done.
func (b *bar) Add64(n int64) {
	b.done += n
	now := time.Now()
	if b.start.IsZero() {
		b.start = now
	}
	if now.Sub(b.last) < drawEvery {
		return
	}
	b.last, b.drawn = now, true
	fmt.Fprint(b.out, "\r\x1b[K", b.line(now.Sub(b.start)))
}

// line is what a bar shows after some time.
func (b *bar) line(lasted time.Duration) string {
	const width = 10 // the whole line fits 80 columns
	part := 0.0
	if b.total > 0 {
		part = min(float64(b.done)/float64(b.total), 1)
	}
	filled := int(part * width)
	text := fmt.Sprintf("%-18s %3.0f%% |%s%s| %s of %s", b.name, part*100, strings.Repeat("█", filled), strings.Repeat(" ", width-filled), size(b.done), size(b.total))
	if seconds := lasted.Seconds(); seconds >= 1 && b.done > 0 {
		left := time.Duration(float64(lasted) * (1/max(part, 1e-6) - 1))
		text += fmt.Sprintf(", %s/s, %v left", size(int64(float64(b.done)/seconds)), left.Round(time.Second))
	}
	return text
}

// Clear takes the line away.
func (b *bar) Clear() {
	if b.drawn {
		fmt.Fprint(b.out, "\r\x1b[K")
		b.drawn = false
	}
}
