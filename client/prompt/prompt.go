package prompt

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"minissh/client/atexit"
	"minissh/client/editor"
	"minissh/client/syntax"
)

// ExitLost is the exit code for our own failures, a lost link among them
// (SSH_CONTRACT rule 6).
const ExitLost = 255

// Runner runs lines on the other side. Run and Interrupt may be called at the same time, from
// different goroutines; Run is never called twice at once.
type Runner interface {
	// Run runs one line and returns when it has ended and everything it wrote was passed to stdout
	// and stderr, which take any number of concurrent writes; what the line left running may go on
	// writing, even later. When ctx is done, it stops the command and returns.
	//
	// A *editor.LineError says that this line failed but the link is alive (of the outcome, only
	// Dir counts then); any other error ends the prompt with 255.
	Run(ctx context.Context, line string, stdout, stderr io.Writer) (Outcome, error)

	// Attach is called once, before the first Run: what comes between lines goes there.
	Attach(stdout, stderr io.Writer)

	// Exits says whether `exit` is a line like others, which ends the shell there.
	Exits() bool

	// Suspend stops the line that runs, as Ctrl-Z does in a shell; false: it cannot be stopped.
	Suspend() bool

	// Interrupt is called for the n-th Ctrl-C during a Run, from n = 1: 1 asks the
	// command to stop (INT), 2 and more kill it. It must not block.
	Interrupt(n int)
}

// Outcome says how a line ended.
type Outcome struct {
	Code     int    // the exit status, 128+n for a signal
	Signal   string // the signal's name when one ended it ("TERM"); else ""
	Duration time.Duration
	Dir      []byte   // the directory that the next line starts in; nil: as before
	Notes    []string // shown as they are ("its output is still held by …")
	Offer    string   // this line would run it on the terminal that it wants; "": it wants none
}

// IO is what a [Builtin] may use. Stdin is the terminal in its normal mode, and nobody else reads
// from it; it is nil if lines come from elsewhere.
type IO struct {
	Stdin  *os.File
	Stdout io.Writer
	Stderr io.Writer
	Dir    []byte // the directory on the other side
	// Terminal is what a builtin may draw on; nil if the prompt has none. What it draws ends at the
	// beginning of a line.
	Terminal *os.File
}

// Builtin is a word that the prompt itself understands at the beginning of a line.
type Builtin struct {
	Args string // as help shows it: "FILE… [DIR]"
	Help string // one line
	More string // what `help WORD` says besides: lines of at most 80 columns
	Line bool   // what follows is a line for the Runner, whose Interrupt is called for Ctrl-C
	// Run gets what follows the word, trimmed. Ctrl-C ends ctx. Errors as in
	// Runner.Run.
	Run func(ctx context.Context, args string, io IO) (Outcome, error)
}

// Config is what Loop needs. It does not change during the loop.
type Config struct {
	Runner Runner

	User, Host string // shown in the prompt
	// Where, if not nil, is what the prompt shows of the host now, in place of Host.
	Where func() string
	Dir   []byte // where the first line starts; nil if unknown
	Home  []byte // shown as ~; nil if unknown

	// Stdin, Stdout and Stderr default to the process's own.
	Stdin, Stdout, Stderr *os.File

	// HistoryFile keeps lines for the next time, at most 1000, mode 0600. "" keeps
	// them in memory only.
	HistoryFile string
	// Stop ends the loop at the first line that fails, with its status.
	Stop bool
	// Quiet leaves out the greeting (-q).
	Quiet bool
	// Builtins adds words (get, put, pty, …) to help, exit, quit, history and !.
	Builtins map[string]Builtin
	// Notes are shown below the line that is edited, each in place of the one before; "" takes it
	// away.
	Notes <-chan string
	// Complete answers the Tab key: it gets the line and the cursor's place in bytes. It has one
	// second, the end of which ends ctx. nil: Tab knows the prompt's own words only.
	Complete func(ctx context.Context, line string, pos int) editor.Completion
	// Command begins a command of the shell that runs the lines: it says where one of several lines
	// ends. nil: each line is one.
	Command func() *syntax.Command
	// Getenv defaults to os.Getenv; NO_COLOR, TERM, SHELL and ComSpec are asked for.
	Getenv func(string) string
}

// Loop reads lines and runs them until the input ends, exit, a lost link, the end
// of ctx, or SIGTERM or SIGHUP. The exit code is the last line's status, or that
// of exit; 255 with an error that says what was lost (for ctx its cause); 128+n
// with a *editor.SignalError. The caller tells the user about the error.
//
// When the loop ends while it waits for input, one goroutine is left in a
// read of Stdin, which cannot be called off.
func Loop(ctx context.Context, cfg Config) (exitCode int, err error) {
	cfg.fillIn()
	l := newLoop(&cfg)
	defer l.close()
	if err := l.lines(ctx); err != nil {
		var end *endError
		if errors.As(err, &end) {
			return end.code, nil
		}
		var sig *editor.SignalError
		if errors.As(err, &sig) {
			return atexit.Code(sig.Signal), err
		}
		return ExitLost, err
	}
	return l.status, nil
}

// fillIn sets what was left open.
func (cfg *Config) fillIn() {
	if cfg.Stdin == nil {
		cfg.Stdin = os.Stdin
	}
	if cfg.Stdout == nil {
		cfg.Stdout = os.Stdout
	}
	if cfg.Stderr == nil {
		cfg.Stderr = os.Stderr
	}
	if cfg.Getenv == nil {
		cfg.Getenv = os.Getenv
	}
}

// face says how the prompt talks: where it draws, and with what.
type face struct {
	terminal *os.File // where lines are edited and the prompt's own words go; nil: not a terminal
	raw      bool     // lines are edited; false on a terminal that understands nothing (TERM=dumb)
	color    bool
}

// newFace looks at the three streams: lines are edited if they come from a terminal and standard
// output, or else standard error, is one too.
func newFace(cfg *Config) face {
	if !isTerminal(cfg.Stdin) {
		return face{}
	}
	var f face
	switch {
	case isTerminal(cfg.Stdout):
		f.terminal = cfg.Stdout
	case isTerminal(cfg.Stderr):
		f.terminal = cfg.Stderr
	default:
		return f
	}
	f.raw = cfg.Getenv("TERM") != "dumb" && enableEscapes(f.terminal)
	f.color = f.raw && cfg.Getenv("NO_COLOR") == ""
	return f
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
