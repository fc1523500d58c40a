package client

import (
	"os"
	"sync"

	"golang.org/x/term"

	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/tty"
)

// terminal is the user's terminal while a pty on the other side is shown on it: then it is in raw mode, so that every key goes there.
type terminal struct {
	fd int // of standard input; -1: it is none, and there is nothing to switch

	mu    sync.Mutex // guards the rest
	saved *term.State
	over  bool   // it stays as it is now
	tidy  func() // what else is to be done when it is abandoned
}

func newTerminal(stdin *os.File) *terminal {
	if stdin == nil || !term.IsTerminal(int(stdin.Fd())) {
		return &terminal{fd: -1}
	}
	return &terminal{fd: int(stdin.Fd())}
}

// enter switches to raw mode.
func (t *terminal) enter() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fd < 0 || t.saved != nil || t.over {
		return nil
	}
	saved, err := term.MakeRaw(t.fd)
	if err != nil {
		return fail(err, "", "cannot switch the terminal to raw mode: %v", err)
	}
	t.saved = saved
	return nil
}

// restore puts the terminal back into the mode that it had before enter.
func (t *terminal) restore() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.saved != nil {
		term.Restore(t.fd, t.saved)
		t.saved = nil
	}
}

// leave is restore for good.
func (t *terminal) leave() {
	t.restore()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
}

// abandoned says what abandon does after leave.
func (t *terminal) abandoned(tidy func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tidy = tidy
}

// abandon is leave where the other side cannot put the screen in order any more.
func (t *terminal) abandon() {
	t.leave()
	t.mu.Lock()
	tidy := t.tidy
	t.mu.Unlock()
	if tidy != nil {
		tidy()
	}
}

// again enters raw mode anew after someone else may have changed it, if we were in it.
func (t *terminal) again() {
	t.mu.Lock()
	raw := t.saved != nil
	t.mu.Unlock()
	if raw {
		term.MakeRaw(t.fd)
	}
}

// guarded is f, which restores the terminal if it panics.
func (t *terminal) guarded(f func()) func() {
	return func() {
		defer t.rescue()
		f()
	}
}

// rescue is deferred where a panic would leave the terminal in raw mode, and the screen as a program there had it.
func (t *terminal) rescue() {
	if r := recover(); r != nil {
		t.abandon()
		panic(r)
	}
}

// size is the window's, asked of standard output where standard input is no terminal.
func (t *terminal) size() protocol.Size {
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

// request is what the other side's pty shall be like (TE1): like our terminal.
func (t *terminal) request() *protocol.PTY {
	p := &protocol.PTY{Term: protocol.Bytes(os.Getenv("TERM")), Size: t.size()}
	if !protocol.ValidTerm(string(p.Term)) {
		p.Term = nil
	}
	if t.fd >= 0 {
		p.Modes = tty.Modes(t.fd)
	}
	return p
}

// wantsTerminal decides as ssh does whether a pty is asked for, and tells in ssh's words if it cannot be.
func (d *Dialer) wantsTerminal(stdin *os.File) bool {
	o := d.Options
	wanted := o.RequestTTY == options.TTYYes || o.RequestTTY == options.TTYForce || o.RequestTTY != options.TTYNo && o.CommandLine() == ""
	if wanted && o.RequestTTY != options.TTYForce && (o.StdinNull || stdin == nil || !term.IsTerminal(int(stdin.Fd()))) {
		d.announce("Pseudo-terminal will not be allocated because stdin is not a terminal.")
		return false
	}
	return wanted
}

// typistEnvironment is what is sent for a pty: what the options ask for, and the language, as most systems' ssh_config has it (SendEnv LANG LC_*). Without it
// a shell there does not know how the letters that are typed are written.
func typistEnvironment(o *options.Options) [][2]protocol.Bytes {
	usual := *o
	usual.SendEnv = append([]string{"LANG", "LC_*", "COLORTERM"}, o.SendEnv...)
	return environment(&usual)
}
