package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"minissh/client/editor"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/client/terminal"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// shell is the one on the other side that is told the lines (LINES.md), so that what a line changes
// lasts. Where the daemon has none for this account, each line has a shell of its own.
type shell struct {
	r     *runner
	ch    *mux.Channel
	begun chan struct{} // closed when the daemon has answered
	ended chan struct{} // closed when the shell has ended, or there is none

	// constant once begun is closed
	none bool   // the daemon has no such shell
	name string // bash, zsh, …

	held atomic.Pointer[run.Outcome] // how it has ended, when its jobs hold its output

	lives bool // a line told no directory, and yet the shell had not ended; belongs to Run

	// constant once ended is closed
	outcome *run.Outcome // nil: unknown
	err     error
}

// beginShell asks for a shell, with a terminal as large as ours; nil: it cannot be asked for.
func (r *runner) beginShell() *shell {
	o := r.conn.Options
	open := run.PTY(&protocol.Open{Service: "lines", Dir: r.dir, Agent: r.conn.Agent}, o,
		terminal.New(r.stdin))
	if o.RequestTTY == options.TTYNo {
		open.PTY = nil
	}
	ch, err := r.conn.Session.Open(open)
	if err != nil {
		return nil // whoever runs a line learns why
	}
	s := &shell{r: r, ch: ch, begun: make(chan struct{}), ended: make(chan struct{})}
	var once sync.Once
	answered := func(name string, none bool) { // the session may end meanwhile
		once.Do(func() { s.name, s.none = name, none; close(s.begun) })
	}
	go run.Notices(r.conn, ch, run.Answers{
		Opened: func(o *protocol.Opened) { answered(o.Shell, false) },
		// what it left running goes on, and its output is for nobody
		Held: func(o *run.Outcome) { s.held.Store(o); ch.Close(nil) },
	})
	go func() {
		defer close(s.ended)
		<-r.attached
		out, errs := writerFunc(r.stdout.Write), writerFunc(s.stderr)
		s.outcome, s.err = run.Follow(ch, run.Streams{Stdout: out, Stderr: errs})
		if _, refused := s.err.(*run.Closed); refused {
			if _, opened := ch.Began(); !opened {
				answered("", true)
				r.sayNone()
			}
		}
		if held := s.held.Load(); held != nil && s.outcome == nil {
			s.outcome = held
		}
		ch.Close(nil)
		answered("", false)
	}()
	return s
}

// sayNone tells a person what is different where each line has a shell of its own.
func (r *runner) sayNone() {
	if r.stdin != nil && r.conn.Options.LogLevel > options.LevelQuiet {
		fmt.Fprintf(r.stderr, "minissh: the login shell on %s cannot be told one line after the "+
			"other: each line has a shell of its own there, and of what it changes only cd "+
			"persists\n",
			terminal.Printable(r.conn.Options.Alias))
	}
}

// stderr takes what comes between lines. What a shell says when it ends is for those who see it.
func (s *shell) stderr(p []byte) (int, error) {
	if s.r.farewell(p) {
		return len(p), nil
	}
	return s.r.stderr.Write(p)
}

// farewell says whether this is only what an interactive shell says at its end, which nobody needs
// to whom we do not talk.
func (r *runner) farewell(p []byte) bool {
	return (string(p) == "logout\n" || string(p) == "exit\n") &&
		(r.leaving.Load() || !r.conn.Messages.Interactive())
}

// there waits for the shell; nil: there is none, and each line has its own.
func (r *runner) there(ctx context.Context, gaveUp <-chan struct{}) (*shell, error) {
	r.mu.Lock()
	s := r.shell
	r.mu.Unlock()
	if s == nil {
		return nil, nil
	}
	select {
	case <-s.begun:
	case <-ctx.Done():
		return nil, &editor.LineError{Err: context.Cause(ctx)}
	case <-gaveUp:
		return nil, &editor.LineError{Err: report.Failed(nil, "", "the line was not sent")}
	}
	if s.none {
		return nil, nil
	}
	select {
	case <-s.ended:
		if s.outcome != nil { // else the session is over, and whoever runs a line learns that
			return nil, errShellGone
		}
	default:
	}
	return s, nil
}

// errShellGone means that the shell has ended between two lines.
var errShellGone = errors.New("the shell has ended")

// forLine is there for a line. If the shell has ended by itself (TMOUT of bash), so does the
// prompt, as a terminal would; if it was killed, there is a new one for the next line.
func (r *runner) forLine(ctx context.Context) (*shell, error) {
	s, err := r.there(ctx, r.conn.Session.Done())
	if err != errShellGone {
		return s, err
	}
	r.mu.Lock()
	gone := r.shell
	r.mu.Unlock()
	if how := gone.outcome; how.Exit != nil && how.How == protocol.HowExited {
		r.conn.Messages.Say(options.LevelError, "the shell on %s has ended; the line was not run",
			r.conn.Options.Alias)
		return nil, &endError{how.ExitCode()}
	}
	r.renew()
	return nil, &editor.LineError{Err: report.Failed(nil, "", "the shell on %s was ended; the "+
		"line was not run, and the next one runs in a new shell, without the variables, "+
		"functions and jobs of the old one", r.conn.Options.Alias)}
}

// line is the request for a line in the shell.
func (s *shell) line(text string, pty *protocol.PTY) *protocol.Open {
	open := &protocol.Open{Service: "lines", In: int64(s.ch.ID()), PTY: pty}
	run.Put(open, text)
	return open
}

// send sends what follows the request.
func (s *shell) send(ch *mux.Channel, text string) {
	if ch.Request().Length > 0 {
		go run.SendLong(ch, text)
	}
}

// sendFirst is send that waits, so that nothing that is typed comes before the text; false: nobody
// waits for that any more.
func (s *shell) sendFirst(ctx context.Context, ch *mux.Channel, text string,
	gaveUp <-chan struct{}) bool {
	if ch.Request().Length == 0 {
		return true
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		run.SendLong(ch, text) // if it fails, the channel says why
	}()
	select {
	case <-sent:
	case <-ctx.Done(): // which whoever shows the line sees
	case <-gaveUp:
		return false
	}
	return true
}

// endsWithin is how long the shell's end is waited for after a line that tells no directory. If it
// has outlived such a line, each prompt would come so late.
func (s *shell) endsWithin() time.Duration {
	if s.lives {
		return run.Farewell / 20
	}
	return run.Farewell
}

// endedWith says whether the shell has ended with a line, whose outcome tells no directory then. If
// it has ended by itself, so does the prompt; if it was killed, there will be a new one.
func (s *shell) endedWith(line string, outcome *run.Outcome) (notes []string, err error) {
	if outcome.Exit == nil || outcome.Dir != nil {
		return nil, nil
	}
	select {
	case <-s.ended:
	case <-time.After(s.endsWithin()):
		s.lives = true
		return nil, nil
	}
	if s.outcome != nil && s.outcome.Exit != nil && s.outcome.How == protocol.HowExited {
		if word, _ := cutWord(strings.TrimSpace(line)); word != "exit" && word != "logout" &&
			s.r.conn.Messages.Interactive() {
			s.r.conn.Messages.Say(options.LevelError, "the shell on %s has ended with this line",
				s.r.conn.Options.Alias)
		}
		return nil, &endError{s.outcome.ExitCode()}
	}
	s.r.renew()
	return []string{"the shell on " + s.r.conn.Options.Alias + " was ended; a new one begins, " +
		"without the variables, functions and jobs of the old one"}, nil
}

// renew begins a new shell in place of one that has ended.
func (r *runner) renew() {
	r.dir, r.oldDir = nil, nil
	s := r.beginShell()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shell = s
}

// Attach is Runner's.
func (r *runner) Attach(stdout, stderr io.Writer) {
	r.stdout, r.stderr = stdout, stderr
	close(r.attached)
}

// Suspend is Runner's.
func (r *runner) Suspend() bool {
	r.mu.Lock()
	ch := r.ch
	r.mu.Unlock()
	return ch != nil && ch.Request().In != 0 && r.conn.Lost() == nil &&
		ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "TSTP"}) == nil
}

// Exits is Runner's.
func (r *runner) Exits() bool {
	s, err := r.there(context.Background(), r.conn.Session.Done())
	return s != nil && err == nil
}

// leave ends the shell as Ctrl-D does, and waits a moment for what it does at its end.
func (r *runner) leave() {
	r.mu.Lock()
	s := r.shell
	r.mu.Unlock()
	if s == nil || r.conn.Lost() != nil || r.conn.Session.Err() != nil {
		return
	}
	select {
	case <-s.begun:
		if s.none {
			return
		}
	default: // it ends as soon as it has begun
	}
	r.leaving.Store(true)
	s.ch.EOF(protocol.TypeStdin)
	select {
	case <-s.ended:
	case <-r.conn.Session.Done():
	case <-time.After(run.Farewell):
		s.ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	}
}
