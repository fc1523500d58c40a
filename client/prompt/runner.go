package prompt

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"minissh/client/atexit"
	"minissh/client/dial"
	"minissh/client/editor"
	"minissh/client/job"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/client/terminal"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Run is `minissh prompt`: one connection, each line one command; stop is Config.Stop. It returns
// the exit code.
func Run(ctx context.Context, d *dial.Dialer, stop bool) (int, error) {
	if state, err := term.GetState(int(os.Stdin.Fd())); err == nil {
		defer atexit.Do(func() { term.Restore(int(os.Stdin.Fd()), state) })()
	}
	d.OnTerminal = true
	login, loginOver := run.UntilLogin(ctx, d)
	conn, err := d.Dial(login, func(*mux.Session) error { return nil })
	if code := loginOver(); code != 0 {
		return code, nil
	}
	if err != nil {
		return report.ExitFailure, err
	}
	defer conn.Session.Close(nil)
	return Over(ctx, conn, Config{HistoryFile: options.StateFile("history"), Stop: stop})
}

// Over is the prompt over a connection, which the caller ends. It fills in what cfg leaves open.
func Over(ctx context.Context, conn *dial.Connection, cfg Config) (int, error) {
	lost, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	runner := &runner{conn: conn, attached: make(chan struct{})}
	go func() {
		<-conn.Session.Done()
		// for whoever types: a line that runs shows its own words
		cancel(run.SessionOver(conn.Options.Alias, conn.Session.Err()))
	}()
	cfg.Runner, cfg.Complete = runner, runner.complete
	cfg.Command = runner.command
	cfg.fillIn()
	if face := newFace(&cfg); face.terminal != nil {
		runner.stdin = cfg.Stdin
	}
	runner.shell = runner.beginShell()
	if newFace(&cfg).raw {
		runner.notes = make(chan string, 1)
		cfg.Notes = runner.notes
	}
	runner.watchLink()
	cfg.User, cfg.Host, cfg.Dir, cfg.Home = conn.Welcome.User, conn.Options.Alias,
		conn.Welcome.Home, conn.Welcome.Home
	cfg.Quiet = conn.Options.LogLevel == options.LevelQuiet
	cfg.Builtins = runner.builtins()
	code, err := Loop(lost, cfg)
	runner.leave()
	conn.Watch(func(*dial.Loss) {})
	return code, err
}

// runner runs the prompt's lines, each on a channel of its own.
type runner struct {
	conn  *dial.Connection
	stdin *os.File // the terminal; nil: there is none

	attached       chan struct{} // closed when what follows is known
	stdout, stderr io.Writer     // of what comes between lines
	leaving        atomic.Bool   // the prompt ends

	dir, oldDir protocol.Bytes // nil: where the daemon starts commands

	down  atomic.Bool // there is no link
	notes chan string // Config.Notes; holds one; nil: nothing is edited

	mu          sync.Mutex    // guards the rest
	shell       *shell        // nil: each line has a shell of its own
	ch          *mux.Channel  // the line's that runs; nil: none does
	interrupted bool          // the user wants its end
	gaveUp      chan struct{} // closed when nobody waits for it any more
}

// Run is Runner's.
func (r *runner) Run(ctx context.Context, line string, stdout, stderr io.Writer) (Outcome, error) {
	if onTerminal(line) && r.stdin != nil {
		return r.onTerminal(ctx, line, IO{Stdin: r.stdin, Stdout: stdout, Stderr: stderr})
	}
	return r.plain(ctx, line, stdout, stderr)
}

// offTerminal is `nopty COMMAND`.
func (r *runner) offTerminal(ctx context.Context, line string, io IO) (Outcome, error) {
	return r.plain(ctx, line, io.Stdout, io.Stderr)
}

// plain runs a line without a terminal.
func (r *runner) plain(ctx context.Context, line string, stdout, stderr io.Writer) (Outcome,
	error) {
	started := time.Now()
	s, err := r.forLine(ctx)
	if err != nil {
		return Outcome{}, err
	}
	request := &protocol.Open{Service: "exec", Command: protocol.Bytes(line), Dir: r.dir,
		OldDir: r.oldDir, ReportDir: true, Agent: r.conn.Agent}
	if s != nil {
		request = s.line(line, nil)
	}
	ch, gaveUp, err := r.open(request)
	if err != nil {
		return Outcome{}, r.notOpened(err)
	}
	defer r.over()
	if s != nil {
		s.send(ch, line)
		stderr = withoutFarewell{r, stderr}
	} else {
		ch.EOF(protocol.TypeStdin)
	}
	stop := context.AfterFunc(ctx,
		func() { ch.Close(&protocol.Reason{Code: protocol.CodeCancelled}) })
	defer stop()
	unanswered, forget := r.unanswered(ctx)
	defer forget()
	held, ended := make(chan *run.Outcome, 1), make(chan struct{})
	var missed run.Complaint
	var asked atomic.Bool
	go run.Notices(r.conn, ch, run.Answers{Held: func(o *run.Outcome) {
		if o.Exit != nil && len(held) == 0 { // only Notices puts something there
			held <- o
		}
	}, Asks: func() {
		if !asked.Swap(true) {
			r.asks()
		}
	}})
	var outcome *run.Outcome // guarded, like err, by ended
	go func() {
		defer close(ended)
		outcome, err = run.Follow(ch, run.Streams{Stdout: missed.WatchingOutput(stdout),
			Stderr: missed.Watching(stderr)})
		ch.Close(nil)
	}()
	select {
	case <-ended:
	case o := <-held:
		return r.goesOn(o, started), nil
	case <-gaveUp:
		return Outcome{}, r.given()
	case <-unanswered:
		return Outcome{}, r.given()
	}
	if err != nil {
		return r.failed(ch, err)
	}
	result := r.ended(outcome, started)
	if s != nil {
		notes, err := s.endedWith(line, outcome)
		if err != nil {
			return result, err
		}
		result.Notes = append(result.Notes, notes...)
	}
	if asked.Load() || missed.Without(line, result.Code) {
		result.Offer = onOne(line)
	}
	return result, nil
}

// goesOn is for a line that has ended while something that it left running holds its output: that
// is shown as it comes, together with the lines that follow.
func (r *runner) goesOn(outcome *run.Outcome, started time.Time) Outcome {
	result := r.ended(outcome, started)
	if r.conn.Messages.Interactive() {
		result.Notes = append(result.Notes, "what it left running goes on; its output is shown "+
			"as it comes, until this prompt ends")
	}
	return result
}

// ended is how a line ended. Where its shell was at its end is where the next line begins.
func (r *runner) ended(outcome *run.Outcome, started time.Time) Outcome {
	result := Outcome{Code: outcome.ExitCode(), Signal: outcome.Signal,
		Duration: time.Since(started)}
	if outcome.Dir != nil {
		r.dir, r.oldDir = outcome.Dir, outcome.OldDir
		result.Dir = r.dir
	}
	if unclear := outcome.Unclear(); unclear != "" {
		result.Notes = []string{unclear}
	}
	return result
}

// onTerminal is `pty COMMAND`: the line runs on a pty, which is shown on the user's terminal;
// without a command it is a login shell.
func (r *runner) onTerminal(ctx context.Context, line string, io IO) (Outcome, error) {
	if io.Stdin == nil {
		return Outcome{},
			&editor.LineError{
				Err: report.Failed(nil, "",
					"pty needs a terminal, and these lines come from elsewhere")}
	}
	started := time.Now()
	local := terminal.New(io.Stdin)
	s, err := r.forLine(ctx)
	if err != nil {
		return Outcome{}, err
	}
	request := run.PTY(&protocol.Open{
		Service: "exec", Command: protocol.Bytes(
			line), Shell: line == "", Dir: r.dir, OldDir: r.oldDir, ReportDir: line != "",
		Agent: r.conn.Agent,
	}, r.conn.Options, local)
	if s != nil && line != "" {
		request = s.line(line, request.PTY)
	}
	ch, gaveUp, err := r.open(request)
	if err != nil {
		return Outcome{}, r.notOpened(err)
	}
	if s != nil && !s.sendFirst(ctx, ch, line, gaveUp) {
		defer r.over()
		return Outcome{}, r.given()
	}
	r.over() // from here on, signals are for what is shown
	shown, err := run.NewShell(r.conn, ch, local, io.Stdin, io.Stdout, io.Stderr)
	if err != nil {
		ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
		return Outcome{}, &editor.LineError{Err: err}
	}
	defer r.watchLink() // which the shell has had
	makeJob := job.Detacher(io.Stdout)
	if request.Service != "exec" {
		makeJob = notALine
	}
	shown.MayDetach(makeJob)
	outcome, left, err := shown.Run(ctx)
	if over, failed := shown.Detached(ctx, err); over {
		result := Outcome{Duration: time.Since(started)}
		if failed != nil {
			return result, &editor.LineError{Err: failed}
		}
		return result, nil
	}
	if left != nil {
		result := Outcome{Code: report.ExitFailure, Duration: time.Since(started)}
		if left.Outcome != nil {
			result.Code = left.Outcome.ExitCode()
		}
		return result, nil
	}
	if err != nil {
		return r.failed(ch, err)
	}
	result := r.ended(outcome, started)
	if s != nil && line != "" {
		result.Notes, err = s.endedWith(line, outcome)
	}
	return result, err
}

// notALine refuses to make a job of a line that the prompt's own shell runs.
func notALine(_ *dial.Connection, _ *mux.Channel, refused func(error)) func(context.Context,
	[]byte) error {
	refused(report.Failed(nil, "detach COMMAND begins one; so does ~d in a shell that pty alone "+
		"begins", "what this prompt's shell runs cannot become a job"))
	return nil
}

// detach is `detach COMMAND`: the line runs as a job, in the directory where the lines are.
func (r *runner) detach(ctx context.Context, line string, io IO) (Outcome, error) {
	started := time.Now()
	if strings.TrimSpace(line) == "" {
		return Outcome{}, &editor.LineError{Err: report.Failed(nil, "detach COMMAND, such as "+
			"detach make", "detach needs a command")}
	}
	err := job.Over(ctx, r.conn, line, r.dir, io.Stdout)
	result := Outcome{Duration: time.Since(started)}
	if err != nil {
		return result, &editor.LineError{Err: err}
	}
	return result, nil
}

// onOne is what runs a line on a terminal.
func onOne(line string) string { return "pty " + strings.TrimSpace(line) }

// asks is called when a program of a line wants the terminal that the line has not got. At its end,
// it is offered again on one.
func (r *runner) asks() {
	if r.conn.Messages.Interactive() {
		r.conn.Messages.Say(options.LevelError,
			"it asks for a terminal, which it has not got; Ctrl-C ends it")
	}
}

// withoutFarewell leaves out what a shell says when it ends.
type withoutFarewell struct {
	r  *runner
	to io.Writer
}

func (w withoutFarewell) Write(p []byte) (int, error) {
	if w.r.farewell(p) {
		return len(p), nil
	}
	return w.to.Write(p)
}

// notOpened is for a line that was never sent: what cannot be a line ends only that line.
func (r *runner) notOpened(err error) error {
	if put := run.Unsent(err); put != err {
		return &editor.LineError{Err: put}
	}
	return run.KnownOf(r.conn, nil).Unknown(err)
}

// failed distinguishes a line that could not be run from the end of everything. If the directory is
// gone, the prompt leaves it, so that the next line runs.
func (r *runner) failed(ch *mux.Channel, err error) (Outcome, error) {
	var said *run.Closed
	if !errors.As(err, &said) {
		return Outcome{}, run.KnownOf(r.conn, ch).Unknown(err)
	}
	if said.Code == protocol.CodeNoDirectory {
		r.dir = nil
		return Outcome{Dir: r.conn.Welcome.Home},
			&editor.LineError{
				Err: report.Failed(err, "",
					"the directory cannot be entered any more; the next line starts in your home "+
						"directory")}
	}
	return Outcome{}, &editor.LineError{Err: run.KnownOf(r.conn, ch).Unknown(err)}
}

// open opens a line's channel; from then on Ctrl-C is for it, also before Run knows of it.
func (r *runner) open(request *protocol.Open) (*mux.Channel, <-chan struct{}, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var err error
	r.ch, err = r.conn.Session.Open(request)
	r.interrupted, r.gaveUp = false, make(chan struct{})
	return r.ch, r.gaveUp, err
}

func (r *runner) over() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ch = nil
}

// Interrupt is Runner's: the first asks, the second kills, the third lets go. Without a link the
// first gives the line up.
func (r *runner) Interrupt(n int) {
	loss := r.conn.Lost()
	r.mu.Lock()
	ch := r.ch
	if r.interrupted = true; ch != nil && loss != nil {
		r.giveUpSoon(r.gaveUp)
		if time.Since(loss.Since) > run.Farewell {
			r.giveUp()
		}
	}
	r.mu.Unlock()
	if ch == nil {
		return
	}
	if sent, _ := ch.Began(); loss != nil && !sent {
		return // it is withdrawn
	}
	if run.Escalate(ch, n, "INT") {
		ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	}
}
