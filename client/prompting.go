package client

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"minissh/client/options"
	"minissh/client/prompt"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Prompt is `minissh prompt`: one connection, each line one command (DESIGN section 6).
func Prompt(ctx context.Context, d *Dialer) (int, error) {
	if fd := int(os.Stdin.Fd()); term.IsTerminal(fd) {
		if state, err := term.GetState(fd); err == nil {
			d.crashed = func() {
				term.Restore(fd, state)
				if t := d.shown.Load(); t != nil {
					t.abandon()
				}
			}
			defer beforeEnd(d.crashed)()
		}
	}
	conn, err := d.Dial(ctx, func(*mux.Session) error { return nil })
	if err != nil {
		return ExitFailure, err
	}
	defer conn.Session.Close(nil)
	lost, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	runner := &runner{d: d, session: conn.Session, home: conn.Welcome.Home}
	go func() {
		<-conn.Session.Done()
		cancel(d.sessionOver(conn.Session.Err())) // for whoever types: a line that runs has its own words
	}()
	code, err := prompt.Loop(lost, prompt.Config{
		Runner: runner, User: conn.Welcome.User, Host: d.Options.Alias, Dir: conn.Welcome.Home, Home: conn.Welcome.Home,
		Builtins: map[string]prompt.Builtin{
			"pty": {Args: "[COMMAND]", Help: "run it, or a shell, on a terminal there: pty vim", Run: runner.onTerminal},
			"put": {Args: "FILE…", Help: "copy files and folders from here to there", Run: runner.put},
			"get": {Args: "FILE…", Help: "copy files and folders from there to here", Run: runner.get},
		},
		Complete:    completeFiles,
		Last:        func(sig os.Signal) (over func()) { return endSoon(signalCode(sig), endsWithin) },
		HistoryFile: prompt.DefaultHistoryFile(), Quiet: d.Options.LogLevel == options.LevelQuiet,
	})
	return code, err
}

// runner runs the prompt's lines, each on a channel of its own.
type runner struct {
	d       *Dialer
	session *mux.Session
	home    protocol.Bytes

	dir, oldDir protocol.Bytes // nil: where the daemon starts commands

	mu sync.Mutex // guards ch
	ch *mux.Channel
}

// Run is prompt.Runner's.
func (r *runner) Run(ctx context.Context, line string, stdout, stderr io.Writer) (prompt.Outcome, error) {
	started := time.Now()
	ch, err := r.session.Open(&protocol.Open{Service: "exec", Command: protocol.Bytes(line), Dir: r.dir, OldDir: r.oldDir, ReportDir: true})
	if err != nil {
		return prompt.Outcome{}, r.notOpened(err)
	}
	ch.EOF(protocol.TypeStdin)
	r.set(ch)
	defer r.set(nil)
	stop := context.AfterFunc(ctx, func() { ch.Close(&protocol.Reason{Code: protocol.CodeCancelled}) })
	defer stop()
	held, ended := make(chan *Outcome, 1), make(chan struct{})
	go r.d.notices(ch, answers{held: func(o *Outcome) {
		if o.Exit != nil && len(held) == 0 { // notices is the only one who puts something there
			held <- o
		}
	}})
	var missed complaint
	var outcome *Outcome // guarded, like err, by ended
	go func() {
		defer close(ended)
		outcome, err = follow(ch, Streams{Stdout: stdout, Stderr: missed.watching(stderr)})
		ch.Close(nil)
	}()
	select {
	case <-ended:
	case o := <-held:
		return r.goesOn(o, time.Since(started)), nil
	}
	if err != nil {
		return r.failed(err)
	}
	result := prompt.Outcome{Code: outcome.ExitCode(), Signal: outcome.Signal, Duration: time.Since(started)}
	r.moved(outcome, &result)
	if err := outcome.Check(); err != nil {
		result.Notes = append(result.Notes, "how the command ended is unknown: "+err.Error())
	}
	if missed.without(line, result.Code) && r.d.interactive() {
		result.Notes = append(result.Notes, "hint: it wants a terminal: pty "+asTyped(strings.TrimSpace(line)))
	}
	return result, nil
}

// goesOn is for a line that has ended while something that it left running holds its output: that is shown as it comes, beside the lines that follow.
func (r *runner) goesOn(outcome *Outcome, took time.Duration) prompt.Outcome {
	result := prompt.Outcome{Code: outcome.ExitCode(), Signal: outcome.Signal, Duration: took}
	r.moved(outcome, &result)
	if r.d.interactive() {
		result.Notes = []string{"what it left running goes on; its output is shown as it comes, until this prompt ends"}
	}
	return result
}

// moved takes over where a line's shell was at its end.
func (r *runner) moved(outcome *Outcome, result *prompt.Outcome) {
	if outcome.Dir != nil {
		r.dir, r.oldDir = outcome.Dir, outcome.OldDir
		result.Dir = r.dir
	}
}

// onTerminal is `pty COMMAND`: the line runs on a pty, which is shown on the user's terminal; without a command a login shell does.
func (r *runner) onTerminal(ctx context.Context, line string, io prompt.IO) (prompt.Outcome, error) {
	if io.Stdin == nil {
		return prompt.Outcome{}, &prompt.LineError{Err: fail(nil, "", "pty needs a terminal, and these lines come from elsewhere")}
	}
	started := time.Now()
	local := newTerminal(io.Stdin)
	open := &protocol.Open{
		Service: "exec", Command: protocol.Bytes(line), Shell: line == "", Dir: r.dir, OldDir: r.oldDir, ReportDir: line != "",
		PTY: local.request(), Env: typistEnvironment(r.d.Options),
	}
	r.d.size = open.PTY.Size
	ch, err := r.session.Open(open)
	if err != nil {
		return prompt.Outcome{}, r.notOpened(err)
	}
	shown, err := r.d.newShell(ch, local, io.Stdin, io.Stdout, io.Stderr)
	if err != nil {
		ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
		return prompt.Outcome{}, &prompt.LineError{Err: err}
	}
	outcome, left, err := shown.run(ctx)
	if left != nil {
		result := prompt.Outcome{Code: ExitFailure, Duration: time.Since(started)}
		if left.outcome != nil {
			result.Code = left.outcome.ExitCode()
		}
		return result, nil
	}
	if err != nil {
		return r.failed(err)
	}
	result := prompt.Outcome{Code: outcome.ExitCode(), Signal: outcome.Signal, Duration: time.Since(started)}
	r.moved(outcome, &result)
	return result, nil
}

// notOpened is for a line that was never sent: what no line could be ends the line alone.
func (r *runner) notOpened(err error) error {
	if put := unsent(err); put != err {
		return &prompt.LineError{Err: put}
	}
	return r.d.outcomeUnknown(err)
}

// failed tells a line that could not be run from the end of everything. A directory that is gone is left, so that the next line runs.
func (r *runner) failed(err error) (prompt.Outcome, error) {
	var said *closed
	if !errors.As(err, &said) {
		return prompt.Outcome{}, r.d.outcomeUnknown(err)
	}
	if said.Code == protocol.CodeNoDirectory {
		r.dir = nil
		return prompt.Outcome{Dir: r.home}, &prompt.LineError{Err: fail(err, "", "the directory cannot be entered any more; the next line starts in your home directory")}
	}
	return prompt.Outcome{}, &prompt.LineError{Err: r.d.outcomeUnknown(err)}
}

func (r *runner) set(ch *mux.Channel) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ch = ch
}

// Interrupt is prompt.Runner's: the first asks, the second kills, the third lets go.
func (r *runner) Interrupt(n int) {
	r.mu.Lock()
	ch := r.ch
	r.mu.Unlock()
	switch {
	case ch == nil:
	case n == 1:
		go ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "INT"})
	case n == 2:
		go ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "KILL"})
	default:
		ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	}
}
