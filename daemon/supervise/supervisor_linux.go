package supervise

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Times that a supervisor gives others; tests are less patient.
var (
	startMost = 30 * time.Second // for a generation to be ready
	leaveMost = 5 * time.Second  // for one to leave
)

const (
	// After a second signal all generations end by themselves within hurryMost, or are killed; what
	// they leave has sweepMost.
	hurryMost = 1500 * time.Millisecond
	sweepMost = 300 * time.Millisecond
)

// pause is the least time between two starts of generations that nobody asks for.
const pause = 900 * time.Millisecond

// Config is what a supervisor needs to know. Nothing in it changes.
type Config struct {
	Log       *slog.Logger
	Args      []string         // the program's, with its own name first
	Signals   <-chan os.Signal // TERM and INT
	Others    <-chan os.Signal // HUP and USR2
	Activated []syscall.Conn   // sockets that a service manager opened
	Stored    map[string]int   // what it has kept for us
	// Tell tells a service manager something, with descriptors; nil: there is none.
	Tell func(assignments string, fds ...int)
	// Stays has sessions go on after the first TERM: only the supervisor ends then.
	Stays bool
	// Forced ends the program after a second signal, whatever hangs; may be nil.
	Forced func()
	// Swept is called when a command of a generation that has died is stopped; it may be nil, and
	// waits for nothing.
	Swept func()
	// Stop is how long a generation may take to end, and Grace what its commands have for it.
	Stop, Grace time.Duration
}

// supervisor is a supervisor at work. All its fields belong to the goroutine of Run.
type supervisor struct {
	Config
	program string
	do      chan func() // what others have for that goroutine
	held    map[string]int
	stored  map[string]bool // what the service manager keeps
	numbers int             // memory of the series of numbers; -1: there is none

	all      map[int]*generation // by process id
	current  *generation         // accepts connections; nil: none does
	next     *generation         // starts, or waits for current to leave
	served   bool                // whether any generation has ever served
	started  time.Time           // when a generation was started last
	quick    int                 // generations in a row that died soon after their start
	stopping bool
	hurried  bool
	rush     context.Context // ends when hurried
	inRush   func()
	leaving  bool // Stays: the supervisor is about to end alone
	sweeps   int  // dead generations whose commands are being stopped
	code     int
	over     bool
}

// generation is a supervisor's end of one.
type generation struct {
	pid    int
	link   *link
	slots  []int64 // its roll; nil: it has none
	unmap  func()
	asker  *generation // waits for its start; may be nil
	ready  bool
	left   bool
	uses   []string
	opened []string    // what it has added to all that is held
	reload bool        // somebody asked for a reload since it was started
	why    Outcome     // what it says about its failure
	silent bool        // it says nothing any more
	wait   *time.Timer // for that, when it is dead; nil: it lives
}

// Run starts a daemon and sees it through its generations. It returns the exit code of the whole.
func Run(config Config) int {
	s := &supervisor{Config: config, do: make(chan func(), 16), held: map[string]int{},
		stored: map[string]bool{}, all: map[int]*generation{}, numbers: -1}
	s.rush, s.inRush = context.WithCancel(context.Background())
	s.program = programOf(config.Args[0])
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		s.Log.Warn("After a crash nobody stops the commands that it leaves", "error", err.Error())
	}
	s.takeHeld()
	defer s.release()
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	defer signal.Stop(children)
	if err := s.start(nil); err != nil {
		s.Log.Error("The daemon cannot be started", "error", err.Error())
		return 1
	}
	for !s.over {
		select {
		case f := <-s.do:
			f()
		case <-children:
			s.reap()
		case sig := <-s.Signals:
			s.signalled(sig)
		case sig := <-s.Others:
			if sig == syscall.SIGUSR2 {
				s.upgrade(nil)
			} else {
				s.reload()
			}
		}
		s.look()
	}
	return s.code
}

// later has f done by the supervisor's goroutine, after a time.
func (s *supervisor) later(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() { s.do <- f })
}

// reload has the current generation read again what it was told, and one that starts as soon as it
// serves: it may have read that before.
func (s *supervisor) reload() {
	if s.current != nil {
		syscall.Kill(s.current.pid, syscall.SIGHUP)
	}
	if s.next != nil {
		s.next.reload = true
	}
}

// signalled acts on a signal that ends the daemon.
func (s *supervisor) signalled(sig os.Signal) {
	switch {
	case s.hurried:
	case s.stopping || s.leaving:
		s.Log.Info("Stopping at once", "signal", sig.String())
		s.stopping, s.hurried = true, true
		s.inRush()
		for _, g := range s.all {
			g.say(message{Kind: kindHurry})
		}
		s.later(hurryMost, s.kill)
		s.later(hurryMost+sweepMost, func() { s.end(1) })
		if s.Forced != nil {
			time.AfterFunc(hurryMost+sweepMost, s.Forced)
		}
	case s.Stays:
		s.Log.Info("Leaving: the sessions go on", "signal", sig.String())
		s.leaving = true
		s.tell("STOPPING=1\nSTATUS=The sessions go on")
		if s.next != nil {
			syscall.Kill(s.next.pid, syscall.SIGKILL) // it serves nobody
		}
		if s.current != nil {
			s.current.say(message{Kind: kindLeave})
		}
		s.later(leaveMost, func() {
			if !s.stopping {
				s.end(0)
			}
		})
	default:
		s.Log.Info("Stopping", "signal", sig.String())
		s.stopping = true
		s.tell("STOPPING=1\nSTATUS=Waiting for commands to end")
		for _, g := range s.all {
			g.say(message{Kind: kindStop})
		}
		s.later(s.Stop, s.kill)
	}
}

// kill ends generations that do not end by themselves.
func (s *supervisor) kill() {
	for _, g := range s.all {
		s.code = 1
		s.Log.Error("A daemon does not end, and is killed", "pid", g.pid)
		syscall.Kill(g.pid, syscall.SIGKILL)
	}
}

// look ends the supervisor when nothing is left to do.
func (s *supervisor) look() {
	switch {
	case s.sweeps > 0:
	case s.stopping && len(s.all) == 0:
		s.end(s.code)
	case s.leaving && !s.stopping && (s.current == nil || s.current.left) && s.next == nil:
		s.end(0)
	}
}

func (s *supervisor) end(code int) { s.over, s.code = true, code }

// serve takes what a generation says, until it is gone.
func (s *supervisor) serve(g *generation) {
	for {
		m, fds, err := g.link.receive()
		if err != nil {
			s.do <- func() {
				g.silent = true
				s.reap()
			}
			return
		}
		s.do <- func() { s.hear(g, m, fds) }
	}
}

// hear acts on what a generation says.
func (s *supervisor) hear(g *generation, m message, fds []int) {
	defer func() { closeFDs(fds) }()
	if s.all[g.pid] != g {
		return
	}
	switch m.Kind {
	case kindWant:
		if s.current == nil {
			s.dropOthers(m.Text, m.Keys)
		}
		g.say(message{Kind: kindWanted})
	case kindKeep:
		if len(fds) == 1 {
			if _, there := s.held[m.Text]; !there {
				g.opened = append(g.opened, m.Text)
			}
			s.keep(m.Text, fds[0])
			fds = nil
		}
	case kindReady:
		g.ready, g.uses = true, m.Keys
		s.ready(g)
	case kindLeft:
		g.left = true
		if s.next != nil && s.next.ready && g == s.current {
			s.commit(s.next)
		}
	case kindFailed:
		g.why = Outcome{Err: m.Text, Fix: m.Hint}
	case kindUpgrade:
		s.upgrade(g)
	case kindTell:
		if g == s.current && !s.stopping && !s.leaving {
			s.tell(m.Text)
		}
	}
}

// say tells a generation something. One that does not listen harms itself only.
func (g *generation) say(m message) error { return g.link.send(m) }

func (s *supervisor) tell(assignments string, fds ...int) {
	if s.Tell != nil {
		s.Tell(assignments, fds...)
	}
}

// FromStore says whether a descriptor from a service manager is one that a supervisor had it keep,
// and the name under which it was kept.
func FromStore(name string) (key string, is bool) {
	text, is := strings.CutPrefix(name, storePrefix)
	if !is {
		return "", false
	}
	if _, err := fmt.Sscanf(text, "%x", &key); err != nil {
		return "", false
	}
	return key, true
}
