//go:build linux || darwin

package process

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol"
)

// Begin tells the shell a line, when that has started. out gets what is written from then on to the
// line's end. The terminal gets a size then, if it is not nil. ErrLineRuns means that another one
// runs, whose ctx is not done; otherwise Begin waits for that one's end, which is for its caller to
// bring about (Stop). ErrFinished: the shell has ended.
func (l *Lines) Begin(ctx context.Context, kind LineKind, size *protocol.Size, text []byte,
	out LineOutput) (*Line, error) {
	if kind == TerminalLine && l.tty == nil {
		return nil, ErrNoPTY
	}
	line := &Line{l: l, ctx: ctx, Ended: make(chan struct{}), kind: kind, out: out, waits: true,
		mark: rand.Text(), signalled: kind == TerminalLine, wakes: make(chan struct{}, 1)}
	l.mu.Lock()
	for l.line != nil {
		before := l.line
		l.mu.Unlock()
		if before.ctx.Err() == nil {
			return nil, ErrLineRuns
		}
		select {
		case <-before.Ended:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		l.mu.Lock()
	}
	select {
	case <-l.Done():
		l.mu.Unlock()
		return nil, ErrFinished
	default:
	}
	l.line = line
	l.mu.Unlock()
	select {
	case <-l.ready:
		l.tell(line, kind, size, text)
	default:
		go func() {
			select {
			case <-l.ready:
				l.tell(line, kind, size, text)
			case <-line.Ended: // with the shell, or withdrawn
			}
		}()
	}
	return line, nil
}

// tell tells the shell, which has started, a line, unless that has been withdrawn.
func (l *Lines) tell(line *Line, kind LineKind, size *protocol.Size, text []byte) {
	l.mu.Lock()
	if l.line != line {
		l.mu.Unlock()
		return
	}
	line.waits = false
	if size != nil {
		l.Resize(*size)
	}
	line.tell, line.text = l.shell.tell[kind], bytes.Clone(text)
	if !l.shell.typed {
		line.tell = fmt.Sprintf(line.tell, line.mark)
	}
	if kind == TerminalLine || l.shell.typed {
		l.tty.f.SetWriteDeadline(time.Time{})
	}
	for _, s := range []*stream{l.out, l.err, l.screen} {
		if s != nil && !(s.terminal && l.shell.typed) {
			s.to(line.show)
		}
	}
	l.mu.Unlock()
	go l.tellAgain(line)
	if l.shell.typed {
		l.tty.Write([]byte(line.tell))
		return
	}
	l.given.Add(int64(len(line.tell)))
	go l.feed.WriteString(line.tell) // it reads that when it likes; if this fails, it has ended
}

// sendText sends the text of a line that the shell has begun; or nothing, if an interrupt came
// before. The shell reads it as it likes.
func (l *Lines) sendText(line *Line, interrupted bool) {
	l.mu.Lock()
	before, told := l.told, make(chan struct{})
	l.told = told
	l.mu.Unlock()
	text := line.text
	if !bytes.HasSuffix(text, []byte("\n")) {
		text = append(text, '\n')
	}
	head := fmt.Sprintf("%s %d\n", line.mark, bytes.Count(text, []byte("\n")))
	if interrupted {
		head, text = line.mark+" -1\n", nil
	}
	go func() {
		defer close(told)
		if before != nil {
			<-before // the rest of which the shell now reads
		}
		l.texts.Write(append([]byte(head), text...)) // if this fails, the shell has ended
	}()
}

// withdraw ends a line that the shell was not told, since it has not started; false: it was.
func (line *Line) withdraw() bool {
	l := line.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.line != line || !line.waits {
		return false
	}
	l.line = nil
	line.end.Code = interruptedCode
	close(line.Ended)
	return true
}

// interruptedCode is what the shell's $? is after an interrupt.
const interruptedCode = 130

// tellAgain tells the shell again what an interrupt may have had it throw away: the line of ours,
// if it has not begun that; the question for its report, if it has read the last one and not
// reported; the question of asksAfterSignals. One that it has read already finds nothing to do. If
// the line is interrupted and the shell does none of this, a hook of the user's holds it up.
func (l *Lines) tellAgain(line *Line) {
	after, typed, calmed, hook := toldAgain, time.Duration(0), false, hook{l: l, line: line}
	for {
		select {
		case <-line.Ended:
			return
		case <-line.wakes:
			after = toldAgain
			continue
		case <-time.After(after):
		}
		l.mu.Lock()
		begun, asks := line.begun, line.asks
		l.mu.Unlock()
		after = min(2*after, typedAgain)
		calm := ""
		switch hook.end() {
		case hookRuns:
			if !calmed || l.fed() {
				calm = l.shell.calm
			}
			if !calmed && !(l.shell.typed && begun) {
				line.out(2, []byte(hookSays))
			}
			if after = toldAgain; hook.looks < hookMany {
				after /= 4
			}
		case hookPerhaps:
			after = toldAgain
		}
		calmed = calmed || calm != ""
		switch {
		case l.shell.typed:
			if typed += after; !begun && typed >= typedAgain {
				l.tty.Write([]byte(line.tell))
				typed = 0
			}
		case !l.fed():
			l.feedMore(calm)
		case !begun:
			l.feedMore(calm + "\n" + line.tell)
		case asks != "":
			l.feedMore(calm + asks)
		default:
			l.feedMore(calm + "\n" + report)
		}
	}
}

const (
	toldAgain  = 100 * time.Millisecond // at first
	typedAgain = 2 * time.Second
)

// asksAfterSignals is called when the line has ended. If it was signalled, the shell may have yet
// to act on that: it would throw away what it is told next. It is asked whether it can answer.
func (l *Lines) asksAfterSignals(number int) bool {
	l.noSignals()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.line == nil || !l.line.signalled {
		return false
	}
	if l.tty != nil { // what was typed and not taken is for nobody
		l.tty.f.SetWriteDeadline(time.Unix(1, 0))
	}
	l.line.asks = fmt.Sprintf("\n"+reportAnd, number)
	if l.line.hooked.Load() { // it answers when it has taken out its hooks
		l.line.asks = l.shell.calm + l.line.asks
	}
	l.feedMore(l.line.asks)
	return true
}

// askReport has the shell report, unless it has so much to read already that it will, or reports
// anyway.
func (l *Lines) askReport() {
	if !l.shell.typed {
		l.feedMore("\n" + report)
	}
}

// feedMore does not wait: a pipe takes so little whole, or not at all.
func (l *Lines) feedMore(text string) {
	if raw, err := l.feed.SyscallConn(); err == nil && text != "" {
		raw.Control(func(fd uintptr) {
			n, _ := unix.Write(int(fd), []byte(text))
			l.given.Add(int64(max(n, 0)))
		})
	}
}

// fed says whether the shell has read all that it was told.
func (l *Lines) fed() bool { return l.unread() == 0 }

// hasRead is how much the shell has read of what it was told, in bytes.
func (l *Lines) hasRead() int { return int(l.given.Load()) - max(l.unread(), 0) }

// unread is how much the shell has yet to read of what it was told, in bytes; -1: nobody knows.
func (l *Lines) unread() (left int) {
	left = -1
	if raw, err := l.feed.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) {
			if n, err := unix.IoctlGetInt(int(fd), fionread); err == nil {
				left = n
			}
		})
	}
	return left
}
