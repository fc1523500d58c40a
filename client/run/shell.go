package run

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/term"

	"minissh/client/atexit"
	"minissh/client/dial"
	"minissh/client/terminal"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/vt"
)

// Farewell is how long a user who leaves waits until the daemon has been told.
const Farewell = time.Second

// Shell shows a remote pty on our terminal.
type Shell struct {
	conn       *dial.Connection
	ch         *mux.Channel
	local      *terminal.Terminal
	keys       terminal.Keyboard // nil: nothing is typed
	typed      *typeahead        // what waits to be sent
	escape     *terminal.Escaper // of what is typed
	unanswered atomic.Int32      // reads of it since something came from the other side
	stdout     gate
	stderr     gate
	size       protocol.Size // of the window, as last told to the other side; watch's

	refused atomic.Bool // there is no pty on the other side
	leaving chan *Left  // the user leaves; holds one

	lost     atomic.Pointer[dial.Loss] // nil: there is a link
	stopping atomic.Bool               // we are being stopped, and the screen is not ours
	changed  chan struct{}             // one of the two has; holds one
	redraw   chan struct{}             // the program there must draw its screen again; holds one

	typing   context.Context // of what is typed after ~C; ends with Run
	commands sync.WaitGroup  // that were typed so, and are under way

	makesJob  Detach // nil: nothing here becomes a job
	detaching atomic.Pointer[detaching]

	// what goes on there; nil: nobody wants to know
	waiting func(context.Context, *dial.Connection) string

	held atomic.Pointer[Outcome] // how the command has ended, when only its output is waited for

	// stops what a second signal has begun (endSoon); watch's, until Run has waited for it
	dying func()
}

// Left says how the user left, and how the command had ended by then, if it had.
type Left struct {
	Signal  os.Signal // one of ours; nil: by ~.
	Outcome *Outcome
}

// NewShell shows a channel that asked for a pty, with keys from stdin; nil: there are none.
func NewShell(conn *dial.Connection, ch *mux.Channel, local *terminal.Terminal, stdin *os.File,
	stdout, stderr io.Writer) (s *Shell, err error) {
	s = &Shell{
		conn: conn, ch: ch, local: local, stdout: gate{to: stdout}, stderr: gate{to: stderr},
		leaving: make(chan *Left, 1), changed: make(chan struct{}, 1),
		redraw: make(chan struct{}, 1), typed: newTypeahead(),
		escape: &terminal.Escaper{Char: conn.Options.EscapeChar},
		dying:  func() {},
	}
	if asked := ch.Request().PTY; asked != nil { // else it is there already, of any size
		s.size = asked.Size
	}
	s.stdout.now, _ = stdout.(mux.TryWriter)
	if term.IsTerminal(int(os.Stdout.Fd())) { // where stdout leads
		s.stdout.modes = new(vt.Modes)
	}
	if stdin != nil {
		s.keys, err = terminal.OpenKeyboard(stdin)
	}
	return s, err
}

// MayDetach lets ~d make a job of what runs.
func (s *Shell) MayDetach(how Detach) {
	if how != nil {
		s.makesJob, s.escape.MayDetach, s.stdout.seen = how, true, new(seen)
	}
}

// OfJob says that what runs is a job, which goes on when the user leaves.
func (s *Shell) OfJob() { s.escape.Job = true }

// Run shows the pty until its command has ended, the session has, ctx has, or the user leaves; the
// terminal is then as it was. If the user left, left is not nil, and Run does not wait for what the
// daemon makes of it.
func (s *Shell) Run(ctx context.Context) (outcome *Outcome, left *Left, err error) {
	defer atexit.Rescue()
	typing, over := context.WithCancel(context.Background())
	s.typing = typing
	defer s.commands.Wait()
	defer over()
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, terminal.Signals...)
	defer signal.Stop(signals)
	defer atexit.Do(s.stdout.end)()
	defer atexit.Do(s.local.Leave)()
	if err := s.local.Enter(); err != nil {
		s.ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
		return nil, nil, err
	}
	defer s.local.Leave()
	stop, ended := make(chan struct{}), make(chan struct{})
	var helpers, reading sync.WaitGroup
	helpers.Go(atexit.Rescued(func() { s.watch(signals, stop) }))
	defer s.watchLink()()
	if m := s.conn.Messages; m.Interactive() {
		m.Via(s.onRaw)
		defer m.Via(nil)
	}
	helpers.Go(atexit.Rescued(func() { s.tellLoss(stop) }))
	if s.waiting != nil {
		release := s.stdout.hold() // so that the line is above the first prompt
		helpers.Go(atexit.Rescued(func() { defer release(); s.tellWaiting(stop) }))
	}
	answers := Answers{Opened: s.opened, Held: s.letGo}
	helpers.Go(atexit.Rescued(func() { Notices(s.conn, s.ch, answers) }))
	if s.keys != nil {
		reading.Go(atexit.Rescued(func() { s.read(signals) }))
		helpers.Go(atexit.Rescued(s.send))
	} else {
		s.ch.EOF(protocol.TypeStdin)
	}
	s.ch.Sink(func(kind protocol.Type, p []byte) int {
		s.unanswered.Store(0)
		if kind != protocol.TypeStdout {
			return 0
		}
		return s.stdout.try(p)
	})
	var result *Outcome // guarded, like failed, by ended
	var failed error
	go atexit.Rescued(func() {
		defer close(ended)
		result, failed = Follow(s.ch, Streams{Stdout: &s.stdout, Stderr: &s.stderr})
	})()
	select {
	case <-ended:
		outcome, err = result, failed
		s.ch.Close(nil)
		// it had no chance to restore the screen
		if err != nil || outcome.How != protocol.HowExited {
			s.local.Leave()
			s.stdout.end()
		}
	case left = <-s.leaving:
		s.depart()
	case <-ctx.Done():
		s.depart()
		select {
		case <-ended:
			outcome, err = result, failed
		case <-time.After(Farewell): // the daemon does not answer
			left = &Left{}
		}
	}
	s.local.Leave()
	close(stop)
	s.typed.stop()
	if s.keys != nil {
		s.keys.Stop() // the next key is for whoever comes after us
		reading.Wait()
		s.keys.Close()
	}
	if left != nil { // the link may hang, and with it whoever sends
		return nil, left, nil
	}
	helpers.Wait()
	s.dying()
	return outcome, nil, err
}

// depart restores the terminal and tells the daemon that the command is not wanted any more.
func (s *Shell) depart() {
	s.local.Leave()
	s.ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	s.stdout.end()
	s.stderr.end()
}

// opened takes the daemon's answer: if there is no pty after all, the terminal is an ordinary one,
// as in ssh.
func (s *Shell) opened(o *protocol.Opened) {
	if len(o.TTY) == 0 {
		s.refused.Store(true)
		s.local.Leave()
	}
}

// read takes what is typed, does what escapes ask for, and passes on the rest.
func (s *Shell) read(signals chan os.Signal) {
	defer s.typed.end()
	var buf [4096]byte
	for {
		n, err := s.keys.Read(buf[:])
		if n > 0 && s.lost.Load() != nil {
			s.conn.Hurry()
		}
		for rest := buf[:n]; len(rest) > 0; {
			keys, action, after := rest, terminal.None, []byte(nil)
			if !s.refused.Load() {
				keys, action, after = s.escape.Filter(rest)
			}
			if len(keys) > 0 && !s.hurry(keys) {
				if !s.typed.put(keys) {
					s.refuse()
				}
				runtime.Gosched() // whoever sends does it now, on this very thread
			}
			if action == terminal.CommandLine {
				after = s.commandLine(after)
			}
			s.act(action, signals)
			rest = after
		}
		if err != nil {
			return
		}
	}
}

// hurry sends a few keys from the goroutine that reads them, as long as the other side answers: on
// a link that hangs, reading would hang too, and with it the escapes.
func (s *Shell) hurry(keys []byte) bool {
	const few, unanswered = 64, 32
	return len(keys) <= few && s.typed.empty() && s.unanswered.Add(1) <= unanswered &&
		s.ch.Offer(protocol.TypeStdin, keys)
}

// act does what an escape asks for.
func (s *Shell) act(action terminal.Action, signals chan os.Signal) {
	m, e := s.conn.Messages, s.escape
	if action != terminal.None {
		s.stdout.hide()
		defer s.look()
	}
	switch action {
	case terminal.Disconnect:
		fmt.Fprintf(m, "%s.\r\n", e.Name())
		s.leave(nil)
	case terminal.Suspend:
		fmt.Fprintf(m, "%s^Z [suspend minissh]\r\n", e.Name())
		s.suspend(signals)
	case terminal.Help:
		io.WriteString(m, e.HelpText())
	case terminal.Detach:
		fmt.Fprintf(m, "%sd [detach]\r\n", e.Name())
		s.detach()
	case terminal.Connections:
		fmt.Fprintf(m, "%s#\r\n", e.Name())
		s.list()
	}
}

func (s *Shell) leave(sig os.Signal) {
	select {
	case s.leaving <- &Left{sig, s.held.Load()}:
	default:
	}
}

// send sends what was typed, then its end.
func (s *Shell) send() {
	for keys := s.typed.take(); keys != nil; keys = s.typed.take() {
		if _, err := s.ch.Write(protocol.TypeStdin, keys); err != nil {
			s.typed.stop() // let read go on to its end
		}
	}
	s.ch.EOF(protocol.TypeStdin)
}

// watch acts on our signals: a new size of the window, being stopped and continuing, and the end.
func (s *Shell) watch(signals chan os.Signal, stop <-chan struct{}) {
	s.resize()
	interrupts, leaves := 0, 0
	var drawing *drawing
	for {
		select {
		case <-stop:
			return
		case <-s.redraw:
			if drawing == nil {
				drawing = s.askToDraw()
			}
		case <-drawing.ticks():
			if drawing.over(s.stdout.wrote.Load()) {
				drawing = nil
				s.resize()
			}
		case sig := <-signals:
			switch sig {
			case terminal.SignalWindow:
				s.resize()
			case terminal.SignalStop:
				s.suspend(signals)
			case terminal.SignalContinue:
				s.local.Again()
				s.resize()
				s.look()
			default:
				if s.refused.Load() && sig != syscall.SIGHUP && sig != syscall.SIGQUIT {
					interrupts++
					s.pass(sig, interrupts)
					continue
				}
				if leaves++; leaves > 1 {
					atexit.Exit(atexit.Code(sig))
				}
				s.leave(sig)
			}
		}
	}
}

// letGo makes the next signal leave, as Catcher.letGo does.
func (s *Shell) letGo(outcome *Outcome) {
	s.held.Store(outcome)
	sayHeld(s.conn.Messages)
}

// pass sends the n-th signal on if there is no pty; once the command has ended, any signal leaves.
func (s *Shell) pass(sig os.Signal, n int) {
	switch {
	case s.held.Load() != nil, s.lost.Load() != nil, Escalate(s.ch, n, NameOf(sig)):
		s.leave(sig)
	case n == 2:
		s.dying = endSoon(s.conn, sig)
	}
}

func (s *Shell) resize() {
	if size := s.local.Size(); size != s.size && size.Valid() {
		defer s.look()
		s.size = size
		s.ch.Send(protocol.TypeResize, &size)
	}
}

// suspend stops this process with the terminal as its shell expects it.
func (s *Shell) suspend(signals chan os.Signal) {
	s.stopping.Store(true)
	s.stdout.hide()
	s.local.Restore()
	s.ch.Session().TellStop(true)
	terminal.StopSelf(signals)
	s.ch.Session().TellStop(false)
	s.local.Enter()
	s.stopping.Store(false)
	s.look()
	select {
	case signals <- terminal.SignalWindow: // the window may have changed meanwhile
	default:
	}
}
