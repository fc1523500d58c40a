package service

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// lines runs login shells that are told their lines, and the lines (LINES.md).
type lines struct {
	shells *shells
	agents *listeners
}

// shells are those that run, each by its session and channel.
type shells struct {
	mu sync.Mutex
	of map[place]*process.Lines
}

type place struct {
	session *mux.Session
	channel int64
}

func placeOf(ch *mux.Channel) place { return place{ch.Session(), int64(ch.ID())} }

func newLines(agents *listeners) lines {
	return lines{&shells{of: map[place]*process.Lines{}}, agents}
}

func (lines) Key() authorized.Service { return authorized.Lines }

func (l lines) Serve(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	if ch.Request().In != 0 {
		return l.line(h, ch, who)
	}
	return l.shell(h, ch, who)
}

// shell runs a shell to its end (LI1, LI2).
func (l lines) shell(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	open := ch.Request()
	if broken, ok := errors.AsType[*protocol.Violation](open.CheckLineShell()); ok {
		return refusal(broken.Code, broken.Message)
	}
	spec, reason := execSpec(&protocol.Open{Shell: true, PTY: open.PTY, Env: open.Env,
		Dir: open.Dir}, who)
	if reason == nil {
		reason = l.agents.lend(&spec, ch)
	}
	if reason != nil {
		return reason
	}
	h.arrives(&spec, open, who, authorized.Lines)
	record, ctx := h.records(&spec, who), wanted(ch)
	p, refused, err := onTerminal(ctx, spec, open, who, process.StartLines)
	if err != nil {
		record.end()
	}
	switch {
	case err == process.ErrNoLines:
		return refusal(protocol.CodeServiceRefused, "the login shell "+
			filepath.Base(who.Account.Shell)+" cannot be told one line after the other")
	case err != nil:
		return notStarted(ctx, err)
	}
	at := placeOf(ch)
	l.shells.mu.Lock()
	l.shells.of[at] = p
	l.shells.mu.Unlock()
	defer func() {
		l.shells.mu.Lock()
		defer l.shells.mu.Unlock()
		delete(l.shells.of, at)
	}()
	c := newCommand(h, ch, p.Process, who)
	c.noPTY, c.shell, c.record = refused, p.Name, record
	h.noted(who, "Starting command", "pid", p.PID, "channel", ch.ID(), "command", "",
		"forced", false, "tty", p.TTY)
	c.run()
	return nil
}

// toldLine is a line with its channel.
type toldLine struct {
	h      *Host
	ch     *mux.Channel
	shell  *process.Lines
	onTTY  bool
	opened chan struct{} // closed when OPENED has been sent
	asked  sync.Once     // for a terminal
	out    atomic.Int64  // bytes, for the log
}

// line runs one line to its end (LI3 to LI6).
func (l lines) line(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	open := ch.Request()
	if broken, ok := errors.AsType[*protocol.Violation](open.CheckLine()); ok {
		return refusal(broken.Code, broken.Message)
	}
	l.shells.mu.Lock()
	shell := l.shells.of[place{ch.Session(), open.In}]
	l.shells.mu.Unlock()
	if shell == nil {
		return refusal(protocol.CodeBadRequest, "no shell runs on that channel")
	}
	t := &toldLine{h: h, ch: ch, shell: shell, onTTY: open.PTY != nil,
		opened: make(chan struct{})}
	turn := who.Share.LongTurn()
	defer turn.Done() // the shell may not take the line before it ends
	kind, text, reason := t.text(open, turn)
	if reason == nil && open.Length > 0 { // its text was not known before
		whole := *open
		whole.Command = text
		reason = h.Audited(who, ch.ID(), &whole)
	}
	if reason != nil {
		return reason
	}
	var size *protocol.Size
	if t.onTTY && open.PTY.Size.Rows > 0 {
		size = &open.PTY.Size
	}
	line, err := shell.Begin(wanted(ch), kind, size, text, t.write)
	switch {
	case errors.Is(err, context.Canceled):
		return cancelled
	case errors.Is(err, process.ErrLineRuns):
		return refusal(protocol.CodeBusy, "another line runs in this shell")
	case errors.Is(err, process.ErrNoPTY):
		return refusal(protocol.CodeServiceRefused, "this shell has no terminal")
	case err != nil:
		return refusal(protocol.CodeBadRequest, "the shell has ended")
	}
	started := time.Now()
	if open.Complete == nil {
		h.noted(who, "Starting command", "pid", shell.PID, "channel", ch.ID(), "command",
			string(text), "forced", false, "tty", "")
	}
	ch.Send(protocol.TypeOpened, &protocol.Opened{PID: shell.PID, TTY: protocol.Bytes(shell.TTY)})
	close(t.opened)
	t.serve(line)
	exit := lineExit(shell, line.End(), time.Since(started))
	ch.End(exit)
	if open.Complete == nil {
		args := []any{"pid", shell.PID, "channel", ch.ID(), "how", exit.How,
			"duration_ms", exit.Duration, "bytes_in", 0, "bytes_out", t.out.Load()}
		if exit.Code != nil {
			args = append(args, "code", *exit.Code)
		}
		h.noted(who, "Command ended", args...)
	}
	return nil
}

// text is what is asked of the shell.
func (t *toldLine) text(open *protocol.Open, turn *access.LongTurn) (process.LineKind, []byte,
	*protocol.Reason) {
	kind := process.PlainLine
	if t.onTTY {
		kind = process.TerminalLine
	}
	switch {
	case open.Complete != nil:
		return process.NameLine, []byte(open.Complete.Kind + "\n" + string(open.Complete.Word)), nil
	case open.Length == 0:
		return kind, open.Command, nil
	}
	text, reason := received(t.ch, turn, open.Length)
	return kind, text, reason
}

// write is the line's process.LineOutput.
func (t *toldLine) write(stream int, p []byte) {
	<-t.opened
	kind := protocol.TypeStdout
	switch {
	case stream != 0 && t.onTTY: // the shell's own words, for a terminal in raw mode
		p = bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))
	case stream == 2:
		kind = protocol.TypeStderr
	case stream == 0 && !t.onTTY:
		kind, p = protocol.TypeStderr, bytes.ReplaceAll(p, []byte("\r\n"), []byte("\n"))
		if t.shell.Busy() {
			t.asked.Do(func() {
				t.ch.Send(protocol.TypeNotice,
					&protocol.Notice{Notice: protocol.NoticeWantsTerminal})
			})
		}
	}
	t.out.Add(int64(len(p)))
	t.ch.Write(kind, p) // if it fails, nobody wants it
}

// serve acts on what the client sends until the line has ended.
func (t *toldLine) serve(line *process.Line) {
	if t.onTTY {
		keys := t.shell.Keys()
		t.ch.Sink(func(_ protocol.Type, p []byte) int {
			line.Typed(p)
			return keys.TryWrite(p)
		})
		go func() {
			for {
				e, err := t.ch.Take()
				if err != nil {
					return
				}
				select {
				case <-line.Ended: // what was typed is for nobody
				default:
					line.Typed(e.Data)
					keys.Write(e.Data)
				}
			}
		}()
	} else {
		go func() {
			for {
				if _, err := t.ch.Take(); err != nil {
					return
				}
			}
		}()
	}
	for {
		select {
		case <-line.Ended:
			return
		case e := <-t.ch.Requests():
			if sig, ok := e.Message.(*protocol.Signal); ok {
				if err := line.Signal(sig.Signal); errors.Is(err, process.ErrUnknownSignal) {
					t.ch.Send(protocol.TypeNotice, &protocol.Notice{
						Notice: protocol.NoticeSignalRefused, Message: err.Error()})
				}
			}
		case size := <-t.ch.Resizes():
			if t.onTTY && size.Valid() {
				t.shell.Resize(size)
			}
		case <-t.ch.Gone():
			if t.ch.SessionEnded() {
				<-line.Ended // with the shell
			} else {
				line.Stop(t.h.Hurried)
			}
			return
		}
	}
}

// lineExit is what is said of a line's end (LI5).
func lineExit(shell *process.Lines, end process.LineEnd, took time.Duration) *protocol.Exit {
	exit := &protocol.Exit{How: protocol.HowExited, Duration: took.Milliseconds()}
	if !end.ShellEnded {
		exit.Code, exit.Dir, exit.OldDir = &end.Code, end.Dir, end.OldDir
		return exit
	}
	r := shell.Result()
	exit.How = string(r.How)
	switch r.How {
	case process.Exited:
		exit.Code = &r.Code
	case process.Signalled:
		exit.Signal, exit.Core = r.Signal, r.Core
	}
	return exit
}

// notStarted is why a command, or a shell, could not be started.
func notStarted(ctx context.Context, err error) *protocol.Reason {
	if ctx.Err() != nil {
		return cancelled
	}
	code := protocol.CodeStartFailed
	if start, ok := errors.AsType[*process.StartError](err); ok && start.Op == "chdir" {
		code = protocol.CodeNoDirectory
	}
	return refusal(code, err.Error())
}
