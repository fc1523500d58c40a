//go:build unix

package keeper

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

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
	last  rune           // of the last text
	reply io.WriteCloser // gets what a terminal answers to what it is asked

	rows, cols int
}

// The size of a terminal whose size nobody has said, and the largest that is followed.
const (
	usualRows, usualCols = 24, 80
	mostRows, mostCols   = 300, 600
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
				at := e.CursorPosition()
				s.under = fmt.Appendf(s.draw(), "\x1b[%d;%dH", at.Y+1, at.X+1)
			}
		}
		return false // the emulator's own handler is next
	})
	s.cells, s.under = e, nil
	go io.Copy(s.reply, e)
}

func (s *screen) close() {
	s.drop()
	s.reply.Close()
}

// drop ends the goroutine that takes the emulator's answers. (The emulator's own Close races with
// its Read.)
func (s *screen) drop() {
	if answers, ok := s.cells.InputPipe().(io.Closer); ok {
		answers.Close()
	}
}

// write follows what is written to the terminal.
func (s *screen) write(p []byte) {
	s.modes.Pass(p)
	if s.modes.Text() {
		s.last, _ = utf8.DecodeLastRune(p)
	}
	s.guarded(func() {
		for {
			at, end, area := nextErase(p)
			s.cells.Write(p[:at])
			if end == 0 {
				return
			}
			s.erase(area)
			p = p[end:]
		}
	})
}

// nextErase finds the next ESC [ … J (ED), which erases a part of the screen: 0, 1 or 2 says which.
// end is 0 if there is none; then at is the end of p.
func nextErase(p []byte) (at, end int, area byte) {
	for from := 0; ; {
		i := bytes.Index(p[from:], []byte("\x1b["))
		if i < 0 {
			return len(p), 0, 0
		}
		at, from = from+i, from+i+2
		switch rest := p[from:]; {
		case len(rest) > 0 && rest[0] == 'J':
			return at, from + 1, 0
		case len(rest) > 1 && rest[0] >= '0' && rest[0] <= '2' && rest[1] == 'J':
			return at, from + 2, rest[0] - '0'
		}
	}
}

// erase does what ED does: the emulator erases too much of the cursor's line, and forgets the
// background. What it erases at the cursor tells what the others become.
func (s *screen) erase(area byte) {
	s.cells.Write([]byte("\x1b[X"))
	cursor := s.cells.CursorPosition()
	blank := s.cells.CellAt(cursor.X, cursor.Y)
	if blank == nil {
		return
	}
	empty, cols := *blank, s.cells.Width()
	for i := range cols * s.cells.Height() {
		before := i < cursor.Y*cols+cursor.X
		if area == 2 || before == (area == 1) {
			cell := empty
			s.cells.SetCell(i%cols, i/cols, &cell)
		}
	}
}

// guarded calls the emulator. One that fails loses what it had drawn, and not the job.
func (s *screen) guarded(do func()) {
	defer func() {
		if recover() != nil {
			s.drop()
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
		column, text := s.onText(at)
		redo = fmt.Appendf(redo, "\x1b[%d;%dH", at.Y+1-s.modes.FirstRow(), column+1)
		if text != "" {
			redo = append(append(redo, text...), s.modes.Pen()...)
		}
		if s.title != "" {
			redo = fmt.Appendf(redo, "\x1b]2;%s\x1b\\", s.title)
		}
	})
	return redo
}

// onText says from which column on which text is to be written again that leaves the cursor in the
// last column, with nothing more to its right: what is written next begins a new line then. Else it
// gives the cursor's own column.
func (s *screen) onText(at uv.Position) (column int, text string) {
	if at.X < s.cells.Width()-1 || !s.modes.Text() {
		return at.X, ""
	}
	for column := at.X; column >= max(0, at.X-1); column-- {
		cell := s.cells.CellAt(column, at.Y)
		if cell != nil && cell.Width == at.X-column+1 && strings.HasSuffix(cell.Content,
			string(s.last)) {
			return column, cell.Style.Styled(cell.Content)
		}
	}
	return at.X, ""
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
		text, blank := ending(line)
		if len(text) > 0 {
			fmt.Fprintf(&b, "\x1b[%dH%s", y+1, text.Render())
		}
		if blank.Bg != nil { // coloured, but empty
			fmt.Fprintf(&b, "\x1b[%d;%dH%s\x1b[K\x1b[m", y+1, len(text)+1, blank.String())
		}
	}
	return b.Bytes()
}

// ending splits a line from the empty cells at its end, which have all the same background.
func ending(line uv.Line) (text uv.Line, blank uv.Style) {
	n := len(line)
	for ; n > 0; n-- {
		cell := line[n-1]
		only := uv.Style{Bg: cell.Style.Bg}
		if cell.Content != " " || !cell.Style.Equal(&only) || cell.Link.URL != "" {
			break
		}
		if n == len(line) {
			blank = cell.Style
		} else if !cell.Style.Equal(&blank) {
			break
		}
	}
	return line[:n], blank
}
