// Package terminal is the user's end: the terminal in raw mode (terminal.go), its keyboard
// (keyboard_*.go), the escapes that are typed on it (escape.go), Ctrl-Z (suspend_*.go), questions
// (ask.go) and the program that may put them (askpass.go), how wide a text is (width.go), text that
// may come from anywhere (printable.go), and our standard streams (stdio_*.go). It knows nothing of
// connections.
package terminal

import (
	"io"
	"os"
	"sync"

	"golang.org/x/term"

	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/tty"
)

// Terminal is the user's terminal while a remote pty is shown on it: then it is in raw mode, so
// that every key goes there.
type Terminal struct {
	fd int // of standard input; -1: it is not a terminal, and there is nothing to switch

	mu    sync.Mutex // guards the rest
	saved *term.State
	over  bool // it stays as it is now
}

// New takes standard input's terminal; stdin may be nil, or something else.
func New(stdin *os.File) *Terminal {
	if stdin == nil || !term.IsTerminal(int(stdin.Fd())) {
		return &Terminal{fd: -1}
	}
	return &Terminal{fd: int(stdin.Fd())}
}

// Enter switches to raw mode.
func (t *Terminal) Enter() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fd < 0 || t.saved != nil || t.over {
		return nil
	}
	saved, err := term.MakeRaw(t.fd)
	if err != nil {
		return report.Failed(err, "", "cannot switch the terminal to raw mode: %v", err)
	}
	t.saved = saved
	return nil
}

// Restore puts the terminal back into the mode that it had before Enter.
func (t *Terminal) Restore() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.saved != nil {
		term.Restore(t.fd, t.saved)
		t.saved = nil
	}
}

// Leave is Restore for good.
func (t *Terminal) Leave() {
	t.Restore()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
}

// Again enters raw mode again after someone else may have changed it, if we were in it.
func (t *Terminal) Again() {
	t.mu.Lock()
	raw := t.saved != nil
	t.mu.Unlock()
	if raw {
		term.MakeRaw(t.fd)
	}
}

// Size is the window's, from standard output if standard input is not a terminal.
func (t *Terminal) Size() protocol.Size {
	fd := t.fd
	if fd < 0 {
		fd = int(os.Stdout.Fd())
	}
	if size := tty.Size(fd); size != (protocol.Size{}) {
		return size
	}
	if cols, rows, err := term.GetSize(fd); err == nil {
		return protocol.Size{Rows: int64(rows), Cols: int64(cols)}
	}
	return protocol.Size{}
}

// Request asks for a pty on the other side that is like our terminal (TE1).
func (t *Terminal) Request() *protocol.PTY {
	p := &protocol.PTY{Term: protocol.Bytes(os.Getenv("TERM")), Size: t.Size()}
	if !protocol.ValidTerm(string(p.Term)) {
		p.Term = nil
	}
	if t.fd >= 0 {
		p.Modes = tty.Modes(t.fd)
	}
	return p
}

// Keyboard reads standard input and can be told to stop. A Read of a terminal cannot, and would
// take a key that is meant for whoever reads after us.
type Keyboard interface {
	io.Reader // io.EOF after Stop, and when the terminal is gone
	Stop()    // ends a Read under way, and all others
	Close() error
}
