package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"

	"minissh/client/atexit"
	"minissh/client/editor"
	"minissh/client/run"
	"minissh/client/terminal"
)

// loop is one run of Loop. Its fields belong to Loop's goroutine; while a command runs, watch reads
// signals and calls the Runner, and Loop waits for it.
type loop struct {
	cfg      *Config
	face     face
	out      *output
	history  *editor.History
	signals  chan os.Signal
	editor   *editor.Editor // with face.raw
	plain    *editor.Reader // otherwise
	builtins map[string]Builtin

	status int    // of the last line
	known  int    // what the shell there has for that
	stays  bool   // that was an exit, and the shell has not ended: it has stopped jobs
	dir    []byte // where the next line starts
}

// endError ends the loop with this exit code (exit, quit).
type endError struct{ code int }

func (e *endError) Error() string { return fmt.Sprintf("exit %d", e.code) }

func newLoop(cfg *Config) *loop {
	l := &loop{cfg: cfg, face: newFace(cfg), dir: cfg.Dir, signals: make(chan os.Signal, 8)}
	for _, sig := range watched(l.face.terminal != nil) {
		if !signal.Ignored(sig) { // nohup, and jobs in the background of a script
			signal.Notify(l.signals, sig)
		}
	}
	l.out = newOutput(cfg.Stdout, cfg.Stderr, l.face)
	l.history = &editor.History{}
	cfg.Runner.Attach(l.out.stdout(), l.out.stderr())
	if l.face.terminal != nil {
		l.history = editor.OpenHistory(cfg.HistoryFile)
	}
	if l.face.raw {
		l.editor = editor.New(editor.Config{Stdin: cfg.Stdin, Terminal: l.face.terminal,
			Signals: l.signals, Output: l.out, History: l.history, Notes: cfg.Notes,
			Complete: l.complete, Incomplete: l.incomplete})
	} else {
		l.plain = editor.NewReader(cfg.Stdin, l.face.terminal, l.signals)
	}
	l.builtins = l.ownBuiltins()
	for name, b := range cfg.Builtins {
		l.builtins[name] = b
	}
	return l
}

func (l *loop) close() {
	signal.Stop(l.signals)
	l.out.reset()
}

// lines reads and runs until something ends it; nil is the end of the input.
func (l *loop) lines(ctx context.Context) error {
	if l.face.terminal != nil && !l.cfg.Quiet {
		l.out.say("connected to %s; help says what you can type", l.where())
	}
	for {
		line, err := l.read(ctx)
		var refused *editor.LineError
		switch {
		case err == io.EOF:
			return nil
		case err == editor.ErrInterrupted:
			continue
		case errors.As(err, &refused):
			l.refused(refused)
			continue
		case err != nil:
			return err
		}
		if err := l.line(ctx, line); err != nil {
			return err
		}
		if l.cfg.Stop && l.status != 0 {
			return nil
		}
	}
}

// refused says why a line was not run.
func (l *loop) refused(err *editor.LineError) {
	l.status = ExitLost
	l.out.say("%v", err)
	var hinter interface{ Hint() string }
	if errors.As(err, &hinter) && hinter.Hint() != "" {
		l.out.say("hint: %s", hinter.Hint())
	}
}

// read returns the next line, in whichever way this loop reads.
func (l *loop) read(ctx context.Context) (string, error) {
	l.out.endLine()
	if l.face.raw {
		style := ""
		if l.face.color {
			style = styleLabel
		}
		return l.editor.Read(ctx, l.label(), style)
	}
	return l.readPlain(ctx)
}

// line runs one line. Its error ends the loop.
func (l *loop) line(ctx context.Context, line string) error {
	trimmed := strings.TrimSpace(line)
	if trimmed == "" {
		return nil
	}
	run := func(ctx context.Context) (Outcome, error) {
		if told, err := l.tellStatus(ctx); err != nil || told.Code != l.status {
			return told, err // interrupted, say
		}
		return l.cfg.Runner.Run(ctx, line, l.out.stdout(), l.out.stderr())
	}
	onInterrupt := l.cfg.Runner.Interrupt
	name, args := cutWord(trimmed)
	here := isLocal(trimmed)
	own := here
	if here {
		// The terminal itself sends it Ctrl-C.
		run, onInterrupt = l.local(strings.TrimSpace(trimmed[1:])), func(int) {}
	} else if b, ok := l.builtins[name]; ok && (name != "exit" || l.stays ||
		!l.cfg.Runner.Exits()) {
		own = true
		run = func(ctx context.Context) (Outcome, error) {
			return b.Run(ctx, strings.TrimSpace(args), IO{l.stdin(), l.out.stdout(), l.out.stderr(),
				l.dir, l.face.terminal})
		}
		if !b.Line {
			onInterrupt = nil
		}
	}
	outcome, err := l.watch(ctx, run, onInterrupt, here)
	// The second exit in turn ends the prompt, whatever the shell says: one with stopped jobs
	// refuses the first, and cannot tell that nothing was between.
	l.stays = name == "exit" && !own
	if outcome.Dir != nil {
		l.dir = outcome.Dir
	}
	var lineErr *editor.LineError
	if errors.As(err, &lineErr) {
		l.refused(lineErr)
		return nil
	}
	if err != nil {
		return err
	}
	if l.status = outcome.Code; !own || args != "" && (name == "pty" || name == "nopty") {
		l.known = l.status
	}
	for _, note := range outcome.Notes {
		l.out.say("%s", terminal.Printable(note))
	}
	if l.face.terminal != nil {
		l.offer(outcome.Offer)
		if text := ended(outcome); text != "" {
			l.out.aside(text)
		}
		if meant := l.meant(name); meant != "" && outcome.Code == notFound {
			l.out.say("did you mean %s?", meant)
		}
	}
	return nil
}

// offer is for a line that is better run another way: it is one key away.
func (l *loop) offer(line string) {
	if line == "" {
		return
	}
	how := ""
	if l.editor != nil && l.history.AddInMemory(line) {
		how = " (↑ and Enter)"
	}
	l.out.say("hint: it wants a terminal: %s%s", terminal.Printable(run.AsTyped(line)), how)
}

// tellStatus gives the shell there the status of what it has not run: a get that failed, say.
func (l *loop) tellStatus(ctx context.Context) (Outcome, error) {
	if l.status == l.known || !l.cfg.Runner.Exits() {
		return Outcome{Code: l.status}, nil
	}
	return l.cfg.Runner.Run(ctx, fmt.Sprintf("sh -c 'exit %d'", l.status), io.Discard, io.Discard)
}

// stdin is the terminal for those who may have it.
func (l *loop) stdin() *os.File {
	if l.face.terminal == nil {
		return nil
	}
	return l.cfg.Stdin
}

// watch runs one command and handles signals meanwhile: Ctrl-C goes to onInterrupt, or ends run's
// ctx when that is nil; SIGTERM and SIGHUP end ctx and the loop. Without a terminal, Ctrl-C ends
// the loop too, as it ends a shell's script.
func (l *loop) watch(ctx context.Context, run func(context.Context) (Outcome, error),
	onInterrupt func(int), here bool) (Outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var end *editor.SignalError
	interrupts, signals, over := 0, 0, func() {}
	stop := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for {
			select {
			case <-stop:
				return
			case sig := <-l.signals:
				k := editor.KindOf(sig)
				if k == editor.SignalInterrupt || k == editor.SignalQuit || k == editor.SignalEnd {
					if signals++; signals == 2 && !here { // nothing may hang for long after it
						over = atexit.After(atexit.Code(sig))
					}
				}
				switch k {
				case editor.SignalStop: // a line there that can be stopped is: it becomes a job
					l.out.echoed()
					if here || !l.cfg.Runner.Suspend() {
						editor.StopSelf()
					}
				case editor.SignalInterrupt, editor.SignalQuit:
					if interrupts++; k == editor.SignalQuit { // Ctrl-\ does not ask first
						interrupts = max(interrupts, 2)
					}
					l.out.echoed()
					if onInterrupt != nil {
						onInterrupt(interrupts)
					} else {
						cancel()
					}
					if l.face.terminal == nil && end == nil {
						end = &editor.SignalError{Signal: sig}
					}
				case editor.SignalEnd:
					end = &editor.SignalError{Signal: sig}
					cancel()
				}
			}
		}
	})
	outcome, err := func() (Outcome, error) {
		defer func() { over() }()
		defer watcher.Wait()
		defer close(stop)
		return run(ctx)
	}()
	if interrupts > 0 && l.editor != nil {
		l.editor.Drop() // lines typed ahead were meant for what was stopped
	}
	if end != nil {
		return outcome, end
	}
	return outcome, err
}
