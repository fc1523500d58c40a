//go:build unix

package keeper

import (
	"bytes"
	"fmt"
	"io"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	emulator "github.com/charmbracelet/x/vt"

	"minissh/protocol"
	"minissh/protocol/vt"
)

// screen is what a job's terminal shows: its cells, by a terminal emulator, and its modes. It is
// not safe for concurrent use.
type screen struct {
	cells *emulator.Emulator
	modes vt.Modes
	title string
	under []byte         // what draws the main screen, while the alternate one shows
	reply io.WriteCloser // gets what a terminal answers to what it is asked

	rows, cols int
}

// The size of a terminal whose size nobody has said, and the largest that is followed.
const (
	usualRows, usualCols = 24, 80
	mostRows, mostCols   = 1000, 1000
)

// newScreen begins with an empty screen. What a terminal answers goes to reply, which must not wait
// and is closed with the screen.
func newScreen(size protocol.Size, reply io.WriteCloser) *screen {
	s := &screen{reply: reply}
	s.rows, s.cols = followed(size)
	s.begin()
	return s
}

func followed(size protocol.Size) (rows, cols int) {
	if size.Rows < 1 || size.Cols < 1 {
		return usualRows, usualCols
	}
	return int(min(size.Rows, mostRows)), int(min(size.Cols, mostCols))
}

// begin makes an emulator, whose screens are empty.
func (s *screen) begin() {
	e := emulator.NewEmulator(s.cols, s.rows)
	e.SetScrollbackSize(1)
	e.SetCallbacks(emulator.Callbacks{Title: func(title string) { s.title = title }})
	e.RegisterCsiHandler(ansi.Command('?', 0, 'h'), func(modes ansi.Params) bool {
		for i := range modes {
			mode, _, _ := modes.Param(i, 0)
			if (mode == 1047 || mode == 1049) && !e.IsAltScreen() {
				s.under = s.draw()
			}
		}
		return false // the emulator's own handler is next
	})
	s.cells, s.under = e, nil
	go io.Copy(s.reply, e)
}

func (s *screen) close() {
	s.cells.Close()
	s.reply.Close()
}

// write follows what is written to the terminal.
func (s *screen) write(p []byte) {
	s.modes.Pass(p)
	s.guarded(func() { s.cells.Write(p) })
}

// guarded calls the emulator. One that fails loses what it had drawn, and not the job.
func (s *screen) guarded(do func()) {
	defer func() {
		if recover() != nil {
			s.cells.Close()
			s.begin()
		}
	}()
	do()
}

// resize gives the screen another size.
func (s *screen) resize(size protocol.Size) {
	if s.rows, s.cols = followed(size); s.rows != s.cells.Height() || s.cols != s.cells.Width() {
		s.guarded(func() { s.cells.Resize(s.cols, s.rows) })
	}
}

// whole says whether what comes next may go to another terminal.
func (s *screen) whole() bool { return s.modes.Whole() }

// redo is what gives another terminal, of the same size and with nothing on it, the same screen.
func (s *screen) redo() (redo []byte) {
	s.guarded(func() {
		main, alternate := s.draw(), []byte(nil)
		if s.cells.IsAltScreen() {
			main, alternate = s.under, main
		}
		at := s.cells.CursorPosition()
		redo = s.modes.Redo(main, alternate)
		redo = fmt.Appendf(redo, "\x1b[%d;%dH", at.Y+1-s.modes.FirstRow(), at.X+1)
		if s.title != "" {
			redo = fmt.Appendf(redo, "\x1b]2;%s\x1b\\", s.title)
		}
	})
	return redo
}

// draw draws the screen that shows. Where the cursor is then is not known.
func (s *screen) draw() []byte {
	var b bytes.Buffer
	b.WriteString("\x1b[m\x1b[H\x1b[2J")
	for y := range s.cells.Height() {
		line := make(uv.Line, s.cells.Width())
		for x := range line {
			if cell := s.cells.CellAt(x, y); cell != nil {
				line[x] = *cell
			}
		}
		if text := line.Render(); text != "" {
			fmt.Fprintf(&b, "\x1b[%dH%s", y+1, text)
		}
	}
	return b.Bytes()
}
