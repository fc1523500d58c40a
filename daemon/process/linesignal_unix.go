//go:build linux || darwin

package process

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// Signal sends a signal to the terminal's foreground process group: the line's programs, or the
// shell while it does the work itself, or what its start-up files run. KILL kills the group; if it
// is the shell's own, everything in the shell's kernel session.
func (line *Line) Signal(name string) error {
	if !KnownSignal(name) {
		return fmt.Errorf("%w %q", ErrUnknownSignal, name)
	}
	l := line.l
	select {
	case <-line.Ended:
		return ErrFinished
	default:
	}
	if name == "INT" {
		line.stop()
	}
	if line.tooEarly(name) {
		return nil
	}
	if name == "KILL" {
		if l.signalLine(line, name) {
			return nil
		}
		return l.Process.Signal(name)
	}
	l.sending.Lock()
	defer l.sending.Unlock()
	if line.tooLate() {
		return nil
	}
	starting, unsure := l.mayMiss()
	err := l.Process.Signal(name)
	switch name {
	case "INT", "QUIT", "TERM", "HUP":
		l.signalStopped()
	}
	l.again()
	if unsure {
		line.look(name, starting)
	}
	return err
}

// mayMiss says whether a program may miss a signal that is sent now: the shell has it alone (0),
// and is perhaps starting one; or the group that has the terminal is a copy of the shell, which
// loses the signal when it becomes another program.
func (l *Lines) mayMiss() (starting int, unsure bool) {
	if l.tty == nil {
		return 0, true
	}
	switch group := l.tty.foreground(); {
	case group == l.PID:
		return 0, true
	case group > 0 && sameProgram(group, l.PID):
		return group, true
	}
	return 0, false
}

// sameProgram says whether two processes run the same program; false: or nobody knows.
func sameProgram(a, b int) bool {
	one, err := os.Stat(fmt.Sprintf("/proc/%d/exe", a))
	if err != nil {
		return false
	}
	other, err := os.Stat(fmt.Sprintf("/proc/%d/exe", b))
	return err == nil && os.SameFile(one, other)
}

// How long a shell that gets a signal may take to act on it, and how often it is looked at.
const (
	missedAfter = 100 * time.Millisecond
	missedLooks = 20
)

// tooEarly keeps a signal for the line until the shell has begun it: before that, an interrupt
// would have the shell throw away a part of what tells it the line. If the shell runs its start-up
// files, and has read nothing from us, it also gets the signal now: they may hang.
func (line *Line) tooEarly(name string) bool {
	line.l.mu.Lock()
	defer line.l.mu.Unlock()
	if line.begun || name == "KILL" || name == "CONT" {
		return false
	}
	if !slices.Contains(line.early, name) {
		line.early = append(line.early, name)
	}
	if line.waits && (line.l.shell.typed || line.l.unread() == len(line.l.shell.script)) {
		line.l.Process.Signal(name)
	}
	return true
}

// tooLate says whether a signal would only find the shell, which has ended the line.
func (line *Line) tooLate() bool {
	line.l.mu.Lock()
	defer line.l.mu.Unlock()
	line.signalled = true
	return line.over
}

// look begins missing, unless that looks after this signal already.
func (line *Line) look(name string, starting int) {
	line.l.mu.Lock()
	defer line.l.mu.Unlock()
	if !line.missed[name] {
		if line.missed == nil {
			line.missed = map[string]bool{}
		}
		line.missed[name] = true
		go line.missing(name, starting)
	}
}

// missing signals a program that was being started when the signal came (mayMiss). No program gets
// it twice.
func (line *Line) missing(name string, starting int) {
	l := line.l
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(line.missed, name)
	}()
	tick := time.NewTicker(missedAfter)
	defer tick.Stop()
	for range missedLooks {
		select {
		case <-line.Ended:
			return
		case <-tick.C:
		}
		group, unsure := l.mayMiss()
		switch {
		case l.tty == nil:
			l.signalLine(line, name)
			return
		case starting == 0 && group == 0 && unsure: // it is still the shell
			if line.tell != "" { // if it has lost its report: once more
				l.tty.Write([]byte("\r"))
			}
		case starting != 0 && group == starting: // still a copy
		case starting != 0 && l.tty.foreground() != starting: // it has ended
			return
		case group != 0:
			l.signalLine(line, name)
			starting = group
		default:
			l.signalLine(line, name)
			return
		}
	}
}

// signalLine signals what has the terminal, if the line still runs.
func (l *Lines) signalLine(line *Line, name string) (found bool) {
	if name != "KILL" {
		l.sending.Lock()
		defer l.sending.Unlock()
	}
	l.mu.Lock()
	runs := l.line == line && (name == "KILL" || !line.over)
	l.mu.Unlock()
	if runs && l.tty == nil && name != "KILL" {
		return l.Process.Signal(name) == nil
	}
	l.Process.mu.RLock()
	defer l.Process.mu.RUnlock()
	return runs && !l.reaped && l.signalForeground(byName[name])
}

// How a line is stopped (LI5).
const (
	stopAgain = time.Second
	stopKill  = 5 // times stopAgain
	stopAll   = 10
)

// Stop ends the line: by INT, by KILL, at last with the shell. ctx hurries.
func (line *Line) Stop(ctx context.Context) {
	if line.withdraw() {
		return
	}
	tick := time.NewTicker(stopAgain)
	defer tick.Stop()
	for n := 0; ; n++ {
		switch {
		case n >= stopAll || ctx.Err() != nil:
			line.l.Kill(context.WithoutCancel(ctx))
			return
		case n >= stopKill:
			line.l.signalLine(line, "KILL")
		}
		line.Signal("INT")
		select {
		case <-line.Ended:
			return
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// again has the shell report the line, if its own report is thrown away: by an interrupt, or an
// error. It is told so when it has begun, so that it does not throw this away too.
func (l *Lines) again() {
	if l.runs() {
		l.askReport()
	}
}

// runs says whether the shell has begun the line.
func (l *Lines) runs() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.line != nil && l.line.begun
}

// noSignals keeps a shell from being interrupted after its line.
func (l *Lines) noSignals() {
	l.sending.Lock()
	defer l.sending.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.line != nil && (l.line.begun || !l.shell.typed) {
		l.line.over = true
	}
}
