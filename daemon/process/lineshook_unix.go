//go:build linux || darwin

package process

import "bytes"

// hook is what a shell does for its user beside a line: PROMPT_COMMAND, precmd, a trap for DEBUG.
// It belongs to tellAgain. If it hangs, the shell does not begin the line, or does not report it,
// or does not answer after it.
type hook struct {
	l    *Lines
	line *Line

	read  int // what the shell had read at the last look, in bytes of all
	tries int // looks since then that found it held up
	looks int // all of those
}

// What holds up a line that is to stop.
type holdUp int

const (
	hookNone    holdUp = iota // nothing
	hookPerhaps               // the shell is slow, or a hook runs in the shell itself
	hookRuns                  // a hook
)

// hookSlow is after how many looks a shell that does nothing of its line is not only slow.
const hookSlow = 5

// hookMany is how many looks come soon after one another if a hook runs: each may end one command.
const hookMany = 40

// typingSlow is that for one that is typed to. An interrupt while it reads what is typed may be its
// end: fish has been seen to read nothing more.
const typingSlow = 10

// end ends what a hook runs if that holds up a line that is to stop. INT has the shell throw away
// what it is at, and with it what it was told. After KILL it goes on: so they take turns. The shell
// itself gets INT alone, and rarely: it may be at what it was told.
func (h *hook) end() holdUp {
	l, line := h.l, h.line
	read := l.hasRead()
	l.sending.Lock()
	defer l.sending.Unlock()
	runs := l.Busy()
	l.mu.Lock()
	held, slow := line.stopping && line.outside(read), hookSlow
	typing := l.shell.typed && !line.begun
	if typing {
		slow = typingSlow
	}
	if held {
		h.looks++
		line.signalled = true
		if runs || h.looks >= slow {
			line.hooked.Store(true)
		}
	}
	l.mu.Unlock()
	if h.tries++; !held || read != h.read {
		h.read, h.tries = read, 1
	}
	switch {
	case !held:
		return hookNone
	case runs && h.looks%4 != 1:
		l.Process.mu.RLock()
		if !l.reaped {
			l.signalForeground(byName["KILL"])
		}
		l.Process.mu.RUnlock()
	case runs, typing && h.looks == slow && l.prompted.Load(),
		!typing && h.tries > 1 && h.tries&(h.tries-1) == 0: // and not one that gets on
		l.Process.Signal("INT")
	}
	if runs || h.looks >= slow {
		return hookRuns
	}
	return hookPerhaps
}

// outside says whether the shell is not at the line's own text: before it, or after it. The caller
// holds l.mu.
func (line *Line) outside(read int) bool {
	past := line.begun && !line.l.shell.typed && read > line.read
	return line.l.line == line && (!line.begun || line.over || past)
}

// show passes on what is written. Of a hook that is being ended, a line without the terminal shows
// nothing that comes from there: the shell's words about it.
func (line *Line) show(stream int, p []byte) {
	if stream != 0 || line.kind == TerminalLine || !line.hooked.Load() {
		line.out(stream, p)
	}
}

// Typed is told what is typed on the terminal: Ctrl-C is for a hook, too.
func (line *Line) Typed(keys []byte) {
	if bytes.IndexByte(keys, ctrlC) < 0 {
		return
	}
	line.l.mu.Lock()
	outside := line.outside(line.l.hasRead())
	line.l.mu.Unlock()
	if outside {
		go line.Signal("INT") // whoever types does not wait
	}
}

const ctrlC = 3

// stop notes that the line is to stop.
func (line *Line) stop() {
	line.l.mu.Lock()
	line.stopping = true
	line.l.mu.Unlock()
	select {
	case line.wakes <- struct{}{}:
	default:
	}
}
