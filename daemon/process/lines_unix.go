//go:build linux || darwin

package process

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"minissh/protocol/tty"
)

// Lines is a shell that is told its lines. The Process's Stdout and Stderr are what it and its jobs
// write while no line runs; closing its Stdin ends it. Line by line, Begin takes what is written
// meanwhile.
type Lines struct {
	*Process
	Name string // the shell's, which tells the syntax of its lines

	shell                *lineShell
	feed, texts, reports *os.File
	out, err, screen     *stream // screen: what the terminal shows; nil without one
	modes                map[string]int64

	mu   sync.Mutex
	line *Line         // that runs; nil: none does
	told chan struct{} // closed when the last text has been sent; nil: there was none

	ready chan struct{} // closed when the shell has read its script
	given atomic.Int64  // bytes that it was given to read since

	prompted atomic.Bool // one that is typed to has shown a prompt

	// sending is held while a signal is sent for a line: none is under way when that is over.
	sending sync.Mutex
}

// Line is one that runs.
type Line struct {
	Ended chan struct{} // closed when it has ended and its output has been passed on

	l    *Lines
	ctx  context.Context // done: nobody wants the line any more
	kind LineKind
	out  LineOutput
	mark string  // its own, which is in the shell's reports of it if lines of ours are not typed
	tell string  // the line of ours
	text []byte  // what is sent when the shell has begun
	end  LineEnd // constant once Ended is closed

	wakes  chan struct{} // wakes tellAgain; holds one
	hooked atomic.Bool   // it was interrupted, and a hook held it up

	// guarded by l.mu
	waits     bool            // for the shell to start
	begun     bool            // the shell has it
	read      int             // Lines.hasRead then
	early     []string        // signals that came before that, each once
	missed    map[string]bool // signals that missing looks after
	signalled bool            // or perhaps: by a key
	stopping  bool            // by INT
	over      bool            // the shell has ended it: no signal is for it
	asks      string          // then: the line of ours that the shell is to answer
}

// StartLines starts spec's Path as a shell that is told lines, and fills in its Args. Spec.PTY is
// its terminal. Errors as StartContext's, and ErrNoLines.
func StartLines(ctx context.Context, spec Spec) (*Lines, error) {
	shell, err := newLineShell(spec.Path, spec.PTY != nil)
	if err != nil {
		return nil, err
	}
	spec.Args, spec.lines = shell.args, shell
	if shell.onTTY {
		// before the first prompt, which nobody is to see
		spec.Env = append(spec.Env[:len(spec.Env):len(spec.Env)], "PROMPT_COMMAND=PS1=")
	}
	p, err := StartContext(ctx, spec)
	if err != nil {
		return nil, err
	}
	l := &Lines{Process: p, Name: shell.name, shell: shell, ready: make(chan struct{})}
	if spec.PTY != nil {
		l.modes = spec.PTY.Modes
	}
	l.join(shell)
	return l, nil
}

// join takes over the pipes that start has made, and begins to talk to the shell.
func (l *Lines) join(shell *lineShell) {
	ours := l.Process.lines
	l.texts, l.reports, l.feed = ours[2], ours[3], ours[4]
	idleOut, toOut := io.Pipe()
	idleErr, toErr := io.Pipe()
	l.Stdin = inputEnd{l}
	l.Stdout, l.Stderr = idle{idleOut, ours[0]}, idle{idleErr, ours[1]}
	l.out = &stream{f: ours[0], number: 1, idle: toOut, gone: make(chan struct{})}
	l.err = &stream{f: ours[1], number: 2, idle: toErr, gone: make(chan struct{})}
	l.err.starting, l.err.silent = true, l.tty == nil // it says that it has no terminal
	streams := []*stream{l.out, l.err}
	if l.tty != nil {
		l.screen = &stream{f: l.tty.f, idle: plainEnds{toErr}, gone: make(chan struct{}),
			terminal: true, starting: true, silent: true}
		streams = append(streams, l.screen)
		if shell.onTTY && !shell.typed {
			l.tty.control(func(fd int) error {
				return tty.SetModes(fd, map[string]int64{"echo": 0})
			})
			l.tty.Write([]byte(startLines))
		}
	}
	for _, s := range streams {
		s.settled = make(chan struct{}, 1)
		go s.pump()
	}
	go func() {
		l.feed.WriteString(shell.script)
		if shell.typed {
			l.feed.Close()
		}
	}()
	go l.read()
	go func() {
		<-l.Done()
		l.settle(nil)
		l.texts.Close()
		l.reports.Close()
	}()
	go func() { // the terminal, which lives longer, shows nothing more to this reader
		<-l.out.gone
		toOut.Close()
		<-l.err.gone
		toErr.Close()
	}()
}

// read takes the shell's reports. What is not one of them comes from a program that has found the
// pipe, and is left out.
func (l *Lines) read() {
	var fields, ended [][]byte
	number := 0 // of the last question whether the shell has all signals
	data, buf := []byte(nil), make([]byte, 16<<10)
	for {
		n, err := l.reports.Read(buf)
		if data = append(data, buf[:n]...); len(data) > maxReport {
			data = nil
		}
		for {
			end := bytes.IndexByte(data, 0)
			if end < 0 {
				break
			}
			fields = append(fields, bytes.Clone(data[:end]))
			data = data[end+1:]
			switch first := string(fields[0]); {
			case first == "prompts" && ended == nil:
				l.prompted.Store(true)
			case first == "ready":
				l.started()
			case len(fields) < l.shell.fields(first):
				continue
			case first == "begun" && (l.shell.typed || l.tells(fields[1])):
				l.hasBegun()
			case first == "ended" && l.shell.typed: // it waits, and then prompts or ends
				if ended == nil { // else an interrupt has made it begin that again
					l.noSignals()
					l.passOn()
					l.texts.Write([]byte(fishTold))
				}
				if l.runs() {
					ended = fields
				}
			case first == "prompts" && ended != nil:
				l.settle(ended)
				ended = nil
			case first == "sync" && l.shell.typed:
				fmt.Fprintf(l.texts, fishSync, fields[1])
			case first == "sync" && ended != nil && string(fields[1]) == strconv.Itoa(number):
				l.settle(ended)
				ended = nil
			case first == "ended" && ended == nil && l.tells(fields[4]):
				if number++; l.asksAfterSignals(number) {
					ended = fields
				} else {
					l.settle(fields)
				}
			}
			fields = nil
		}
		if err != nil {
			return
		}
	}
}

// tells says whether the line with that mark is the one that runs.
func (l *Lines) tells(mark []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.line != nil && l.line.mark == string(mark)
}

// started is called when the shell has read its script: what it has prompted so far is left out.
func (l *Lines) started() {
	select {
	case <-l.ready:
		return
	default:
	}
	if l.tty != nil && !l.shell.typed {
		echo, given := l.modes["echo"]
		if !given {
			echo = 1
		}
		l.tty.control(func(fd int) error {
			return tty.SetModes(fd, map[string]int64{"echo": echo})
		})
	}
	for _, s := range []*stream{l.err, l.screen} {
		if s != nil && !(s.terminal && l.shell.typed) { // what is typed there is never wanted
			s.settle()
			s.forgetPrompt()
		}
	}
	close(l.ready)
}

// hasBegun is called when the shell reads a line's text.
func (l *Lines) hasBegun() {
	l.mu.Lock()
	line := l.line
	if line == nil || line.begun {
		l.mu.Unlock()
		if l.shell.typed { // it was typed twice
			l.texts.Write([]byte{0})
		}
		return
	}
	early := line.early
	interrupted := slices.Contains(early, "INT")
	hooked := line.hooked.Load()
	line.begun, line.early, line.read = true, nil, l.hasRead()
	l.mu.Unlock()
	if l.shell.typed { // what the terminal has shown so far is the line of ours
		l.screen.settle()
		l.screen.to(line.show)
		if interrupted {
			line.text = nil
		}
		if hooked {
			line.text, early = []byte(l.shell.calm), nil
		}
		l.texts.Write(append(line.text, 0))
	} else {
		l.sendText(line, interrupted)
	}
	l.askReport()
	for _, name := range early {
		if name != "INT" || l.shell.typed {
			line.Signal(name)
		}
	}
}

// settle ends the line that runs, with what the shell has reported; nil: the shell has ended.
func (l *Lines) settle(fields [][]byte) {
	l.mu.Lock()
	line := l.line
	l.mu.Unlock()
	if line == nil {
		return
	}
	l.passOn()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.line != line {
		return
	}
	l.line = nil
	if fields == nil {
		line.end.ShellEnded = true
	} else {
		line.end.Code, _ = strconv.Atoi(string(fields[1]))
		line.end.Dir, line.end.OldDir = parseReport(append(bytes.Join(fields[2:4], []byte{0}), 0))
	}
	if l.tty != nil {
		l.tty.f.SetWriteDeadline(time.Unix(1, 0)) // what was typed and not taken is for nobody
	}
	close(line.Ended)
}

// passOn waits until what has been written so far was passed on.
func (l *Lines) passOn() {
	for _, s := range []*stream{l.out, l.err, l.screen} {
		if s != nil {
			s.settle()
		}
	}
}

// End is how the line ended; it waits for that.
func (line *Line) End() LineEnd {
	<-line.Ended
	return line.end
}

// Keys types on the shell's terminal, which it must have, until the end of the line.
func (l *Lines) Keys() Keyboard { return typing{l.tty} }

// Busy says whether a program other than the shell has the terminal.
func (l *Lines) Busy() bool { return l.tty != nil && l.tty.foreground() != l.PID }
