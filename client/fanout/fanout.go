// Package fanout runs one command on many hosts at once, from one process: `minissh on`.
//
// Reading order: fanout.go (which hosts are served when), host.go (one host's command, from the
// login to the end), judge.go (how that is judged), ask.go (questions that are put once for all),
// screen.go and lines.go (whole lines of many hosts on one terminal), progress.go (the line below
// that tells how far all is), gather.go, spool.go and diff.go (equal outputs told once), files.go
// (a result as data), stdin.go (one input for all), signals.go (Ctrl-C), summary.go (what failed,
// by cause), last.go (what --failed remembers), limits.go (how many at the same time).
package fanout

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"minissh/client/atexit"
	"minissh/client/dial"
	"minissh/client/report"
	"minissh/client/run"
)

// Most is how many hosts are served at the same time, whatever the machine could do.
const Most = 256

// Count is a number of hosts, or a part of them.
type Count struct {
	N       int
	Percent bool
}

// ParseCount reads a number or a percentage.
func ParseCount(text string) (c Count, ok bool) {
	digits, percent := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || percent && n > 100 {
		return Count{}, false
	}
	return Count{n, percent}, true
}

// Of is the number among so many hosts.
func (c Count) Of(hosts int) int {
	if c.Percent {
		return hosts * c.N / 100
	}
	return c.N
}

// Config is what is done, and how it is shown.
type Config struct {
	Hosts  []string
	Dialer func(host string) (*dial.Dialer, error)

	Fanout  int    // hosts at the same time, at least 1
	Rolling *Count // so many at a time, the next only if all went well; nil: all
	MaxFail *Count // when more have failed no more are begun; nil: it does not matter
	Retries int    // how often more a host is tried that cannot be reached

	Gather, Diff, JSON, Worst bool
	Dir                       string   // where each host's output goes; "": it is shown
	Stdin                     *os.File // what all commands read; nil: nothing
	Stdout, Stderr            *os.File
	Log                       io.Writer // messages about connections; nil: standard error
	Color                     bool
	Quiet                     bool

	// Keep has the connections left open after Do.
	Keep bool
	// Do, if not nil, is done in place of the command. It says what has failed, and with which exit
	// code.
	Do func(context.Context, Visit) (code int, err error)

	// Again is what to type to do the same on those hosts that failed.
	Again func(failed string) string
	// Save, if not nil, is told the names of the hosts that failed.
	Save func(failed []string)
}

// Visit is a host that Do does something on, over a connection that ends after it.
type Visit struct {
	Host            string // as it was named
	Conn            *dial.Connection
	Lines, Messages io.Writer // each Write is of whole lines; messages are for people
}

// fleet is one run.
type fleet struct {
	Config
	ctx    context.Context // ends what is not begun, and logins
	cancel context.CancelFunc
	screen *screen
	shared dial.Shared
	slots  chan struct{} // holds one for each host that is served
	hosts  []*host
	input  *input
	asking questions
	kept   Outputs
	dir    *os.Root      // of Dir
	ending chan struct{} // closed when the user wants the end of all
	served atomic.Bool   // no host is served any more
	quits  atomic.Bool   // this process is being ended

	mu     sync.Mutex // guards the rest, and the hosts' states
	failed int
	halted string // why no more hosts are begun; "": they are
	broken error  // why our output cannot be written; nil: it can
}

// Run does it, and returns the exit code: 0 if all commands gave 0, else 1, or 255 if no host could
// be reached; with Worst the largest of all. After a signal it is 130, or 143.
func Run(cfg Config) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f := &fleet{Config: cfg, ctx: ctx, cancel: cancel, slots: make(chan struct{}, cfg.Fanout),
		ending: make(chan struct{})}
	for i, name := range cfg.Hosts {
		f.hosts = append(f.hosts, &host{f: f, name: name, number: i})
	}
	f.screen = newScreen(f)
	f.asking.f = f
	if err := f.openInput(); err != nil {
		report.Error(cfg.Stderr, err)
		return report.ExitFailure
	}
	if err := f.makeDir(); err != nil {
		report.Error(cfg.Stderr, err)
		return report.ExitFailure
	}
	defer f.kept.Close()
	if f.Save != nil {
		f.Save(f.Hosts) // until more is known
	}
	signals := f.catch()
	defer run.TellStops(f.tellStop)()
	started := time.Now()
	size := len(f.hosts)
	if cfg.Rolling != nil {
		size = max(1, cfg.Rolling.Of(size))
	}
	for rest := f.hosts; len(rest) > 0; {
		n := min(size, len(rest))
		f.batch(rest[:n])
		if rest = rest[n:]; cfg.Rolling != nil && f.failures() > 0 {
			f.halt("a host of the batch before failed")
		}
	}
	f.served.Store(true)
	f.screen.end()
	f.showGathered()
	f.summary(time.Since(started))
	code := signals.release()
	if f.quits.Load() {
		select {} // until the process ends
	}
	switch broken := f.unwritten(); {
	case code != 0:
		return code
	case errors.Is(broken, syscall.EPIPE): // as any program that nobody reads
		return atexit.Code(syscall.SIGPIPE)
	case broken != nil:
		report.Error(f.Stderr, cannotWrite(broken))
		return report.ExitFailure
	}
	return f.exitCode()
}

// tellStop tells all daemons that Ctrl-Z stops us, or that we go on.
func (f *fleet) tellStop(stopping bool) {
	var all sync.WaitGroup
	for _, h := range f.hosts {
		if conn := h.conn.Load(); conn != nil {
			all.Go(func() { conn.Session.TellStop(stopping) })
		}
	}
	all.Wait()
}

// unread notes that our output cannot be written: nothing more is begun, and what runs is stopped.
func (f *fleet) unread(err error) {
	f.mu.Lock()
	if f.broken == nil {
		f.broken = err
	}
	f.mu.Unlock()
	f.stopAll("the output cannot be written")
}

func (f *fleet) unwritten() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.broken
}

// log is where messages about connections go.
func (f *fleet) log() io.Writer {
	if f.Log != nil {
		return f.Log
	}
	return f.Stderr
}

// batch serves hosts, at most Fanout at the same time, and waits for all.
func (f *fleet) batch(hosts []*host) {
	var all sync.WaitGroup
	f.asking.more(len(hosts))
	for _, h := range hosts {
		f.slots <- struct{}{}
		if f.halting() {
			<-f.slots
			f.asking.settled()
			h.notBegun()
			continue
		}
		all.Go(func() {
			defer func() { <-f.slots }()
			h.serve()
		})
	}
	all.Wait()
}

// halt has no more hosts begun.
func (f *fleet) halt(why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.halted == "" {
		f.halted = why
	}
}

func (f *fleet) halting() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.halted != ""
}

func (f *fleet) failures() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// ended counts a host whose end is known, and lets go of what it took.
func (f *fleet) ended(h *host) {
	h.conn.Store(nil)
	f.mu.Lock()
	h.state, h.ch, h.result = stateEnded, nil, nil
	if h.cause != "" {
		f.failed++
		if f.MaxFail != nil && f.failed > f.MaxFail.Of(len(f.hosts)) && f.halted == "" {
			f.halted = "too many have failed (--max-fail)"
		}
	}
	f.mu.Unlock()
}

// exitCode is Run's.
func (f *fleet) exitCode() int {
	worst, reached := 0, false
	for _, h := range f.hosts {
		worst = max(worst, h.exit)
		reached = reached || h.reached
	}
	switch {
	case worst == 0:
		return 0
	case f.Worst:
		return worst
	case !reached:
		return report.ExitFailure
	}
	return 1
}
