package client

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

	"minissh/client/vt"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// typedAhead is how many reads of the keyboard may wait to be sent: a megabyte. The keyboard is read on while the other side takes nothing, so
// that an escape is always heard.
const typedAhead = 256

// farewell bounds how long a user who leaves waits until the daemon has been told.
const farewell = time.Second

// shell shows a pty of the other side on our terminal.
type shell struct {
	d          *Dialer
	ch         *mux.Channel
	local      *terminal
	keys       *keyboard    // nil: nothing is typed
	queued     atomic.Int32 // reads of the keyboard that wait to be sent
	unanswered atomic.Int32 // reads of it since something came from the other side
	stdout     gate
	stderr     gate

	refused atomic.Bool   // there is no pty on the other side
	leaving chan departed // the user leaves; holds one

	held atomic.Pointer[Outcome] // how the command has ended, when only its output is waited for
}

// departed says how the user left: by ~., or by a signal of ours; and how the command had ended by then, if it had.
type departed struct {
	signal  os.Signal
	outcome *Outcome
}

// newShell shows the channel, which asked for a pty, with keys from stdin; nil: there are none.
func (d *Dialer) newShell(ch *mux.Channel, local *terminal, stdin *os.File, stdout, stderr io.Writer) (s *shell, err error) {
	s = &shell{d: d, ch: ch, local: local, stdout: gate{to: stdout}, stderr: gate{to: stderr}, leaving: make(chan departed, 1)}
	s.stdout.quick, _ = stdout.(interface{ TryWrite([]byte) int })
	if term.IsTerminal(int(os.Stdout.Fd())) { // where stdout leads
		s.stdout.modes = new(vt.Modes)
	}
	local.abandoned(s.stdout.end)
	d.shown.Store(local)
	if stdin != nil {
		s.keys, err = newKeyboard(stdin)
	}
	return s, err
}

// run shows the pty until its command has ended, the session has, ctx has, or the user leaves; the terminal is then as it was. left is not nil if
// the user did: then what the daemon makes of it is not waited for.
func (s *shell) run(ctx context.Context) (outcome *Outcome, left *departed, err error) {
	defer s.local.rescue()
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, terminalSignals...)
	defer signal.Stop(signals)
	defer beforeEnd(s.local.leave)()
	if err := s.local.enter(); err != nil {
		s.ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
		return nil, nil, err
	}
	defer s.local.leave()
	stop, ended := make(chan struct{}), make(chan struct{})
	var helpers, reading sync.WaitGroup
	helpers.Go(s.local.guarded(func() { s.watch(signals, stop) }))
	helpers.Go(s.local.guarded(func() { s.d.notices(s.ch, answers{s.opened, s.letGo}) }))
	if s.keys != nil {
		typed := make(chan []byte, typedAhead)
		reading.Go(s.local.guarded(func() { s.read(typed, signals, stop) }))
		helpers.Go(s.local.guarded(func() { s.send(typed) }))
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
	go s.local.guarded(func() {
		defer close(ended)
		result, failed = follow(s.ch, Streams{Stdout: &s.stdout, Stderr: &s.stderr})
	})()
	select {
	case <-ended:
		outcome, err = result, failed
		s.ch.Close(nil)
		if err != nil || outcome.How != protocol.HowExited { // it had no chance to put the screen in order
			s.local.leave()
			s.stdout.end()
		}
	case d := <-s.leaving:
		s.depart()
		left = &d
	case <-ctx.Done():
		s.depart()
		select {
		case <-ended:
			outcome, err = result, failed
		case <-time.After(farewell): // the daemon does not answer
			left = &departed{}
		}
	}
	s.local.leave()
	close(stop)
	if s.keys != nil {
		s.keys.stop() // the next key is for whoever comes after us
		reading.Wait()
		s.keys.close()
	}
	if left != nil { // the link may hang, and with it whoever sends
		return nil, left, nil
	}
	helpers.Wait()
	return outcome, nil, err
}

// depart gives the terminal back and tells the daemon that the command is not wanted any more.
func (s *shell) depart() {
	s.local.leave()
	s.ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	s.stdout.end()
	s.stderr.end()
}

// opened takes the daemon's answer: if there is no pty after all, the terminal is an ordinary one, as with ssh.
func (s *shell) opened(o *protocol.Opened) {
	if len(o.TTY) == 0 {
		s.refused.Store(true)
		s.local.leave()
	}
}

// read takes what is typed, does what escapes ask for, and hands on the rest.
func (s *shell) read(typed chan<- []byte, signals chan os.Signal, stop <-chan struct{}) {
	defer close(typed)
	e := &escaper{char: s.d.Options.EscapeChar}
	var buf [4096]byte
	for {
		n, err := s.keys.Read(buf[:])
		for rest := buf[:n]; len(rest) > 0; {
			keys, action, after := rest, escapeNone, []byte(nil)
			if !s.refused.Load() {
				keys, action, after = e.filter(rest)
			}
			if len(keys) > 0 && !s.hurry(keys) {
				keys = append([]byte(nil), keys...)
				s.queued.Add(1)
				select {
				case typed <- keys: // this alone is quicker than with stop beside it
				default:
					select {
					case typed <- keys:
					case <-stop:
						return
					}
				}
				runtime.Gosched() // whoever sends does it now, on this very thread
			}
			s.act(action, e, signals)
			rest = after
		}
		if err != nil {
			return
		}
	}
}

// hurry sends a few keys from the very goroutine that reads them, while whoever is there answers: on a link that hangs, reading would hang too, and with it
// the escapes.
func (s *shell) hurry(keys []byte) bool {
	const few, unanswered = 64, 32
	return len(keys) <= few && s.queued.Load() == 0 && s.unanswered.Add(1) <= unanswered && s.ch.Offer(protocol.TypeStdin, keys)
}

// act does what an escape asks for.
func (s *shell) act(action escapeAction, e *escaper, signals chan os.Signal) {
	switch action {
	case escapeDisconnect:
		fmt.Fprintf(s.d.Messages, "%s.\r\n", e.name())
		s.leave(nil)
	case escapeSuspend:
		fmt.Fprintf(s.d.Messages, "%s^Z [suspend minissh]\r\n", e.name())
		s.suspend(signals)
	case escapeHelp:
		io.WriteString(s.d.Messages, e.help())
	}
}

func (s *shell) leave(sig os.Signal) {
	select {
	case s.leaving <- departed{sig, s.held.Load()}:
	default:
	}
}

// send sends what was typed, then its end.
func (s *shell) send(typed <-chan []byte) {
	for keys := range typed {
		_, err := s.ch.Write(protocol.TypeStdin, keys)
		if s.queued.Add(-1); err != nil {
			break
		}
	}
	for range typed { // let read go on to its end
	}
	s.ch.EOF(protocol.TypeStdin)
}

// watch acts on signals of ours: a new size of the window, being stopped and going on, and the end.
func (s *shell) watch(signals chan os.Signal, stop <-chan struct{}) {
	last := s.d.size
	s.resize(&last)
	interrupts, leaves := 0, 0
	for {
		select {
		case <-stop:
			return
		case sig := <-signals:
			switch sig {
			case signalWinch:
				s.resize(&last)
			case signalTstp:
				s.suspend(signals)
			case signalCont:
				s.local.again()
				s.resize(&last)
			default:
				if s.refused.Load() && sig != syscall.SIGHUP && sig != syscall.SIGQUIT {
					interrupts++
					s.pass(sig, interrupts)
					continue
				}
				if leaves++; leaves > 1 {
					EndNow(signalCode(sig))
				}
				s.leave(sig)
			}
		}
	}
}

// letGo has the next signal leave, as signals.letGo does.
func (s *shell) letGo(outcome *Outcome) {
	s.held.Store(outcome)
	s.d.sayHeld()
}

// pass sends a signal on where there is no pty: the first asks, the second kills, the third leaves; the first does once the command has ended.
func (s *shell) pass(sig os.Signal, n int) {
	name := "INT"
	if sig == syscall.SIGTERM {
		name = "TERM"
	}
	switch {
	case n > 2, s.held.Load() != nil:
		s.leave(sig)
	case n == 2:
		name = "KILL"
		endSoon(signalCode(sig), endsWithin)
		fallthrough
	default:
		go s.ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: name})
	}
}

func (s *shell) resize(last *protocol.Size) {
	if size := s.local.size(); size != *last && size.Valid() {
		*last = size
		s.ch.Send(protocol.TypeResize, &size)
	}
}

// suspend stops this process with the terminal as its shell expects it.
func (s *shell) suspend(signals chan os.Signal) {
	s.local.restore()
	s.ch.Session().TellStop(true)
	stopSelf(signals)
	s.ch.Session().TellStop(false)
	s.local.enter()
	select {
	case signals <- signalWinch: // the window may have changed meanwhile
	default:
	}
}

// runTerminal is RunCommand on a pty.
func (d *Dialer) runTerminal(ctx context.Context, streams Streams) int {
	stdin := streams.Keyboard
	signals := newSignals()
	d.underWay = signals.catch
	defer signals.release()
	dialing, cancel := context.WithCancel(ctx)
	defer cancel()
	signals.whileDialing(cancel)
	if d.Options.StdinNull {
		stdin = nil
	}
	local := newTerminal(stdin)
	d.crashed = local.abandon
	var ch *mux.Channel
	conn, err := d.Dial(dialing, func(s *mux.Session) (err error) {
		open := Exec(d.Options)
		open.PTY, open.Env = local.request(), typistEnvironment(d.Options)
		d.size = open.PTY.Size
		ch, err = s.Open(open)
		return unsent(err)
	})
	if err != nil {
		if code, caught := signals.caught(); caught {
			return code
		}
		d.report(err)
		return ExitFailure
	}
	signals.release() // the shell has its own
	if code, caught := signals.caught(); caught {
		conn.Session.Close(nil)
		return code
	}
	d.loggedIn()
	screen, closeScreen := display(os.Stdout, streams.Stdout)
	defer closeScreen()
	shown, err := d.newShell(ch, local, stdin, screen, streams.Stderr)
	if err != nil {
		d.report(err)
		return ExitFailure
	}
	runtime.GOMAXPROCS(1) // there is one thing to do after the other: further threads would be woken for each key, and find nothing
	outcome, left, err := shown.run(ctx)
	if left != nil {
		said := make(chan struct{})
		go func() { defer close(said); conn.Session.Close(nil) }()
		select {
		case <-said:
		case <-time.After(farewell):
		}
		return d.departed(left)
	}
	conn.Session.Close(nil)
	if err != nil {
		fmt.Fprintln(d.Messages) // the cursor stands wherever the other side left it
		d.report(d.cutOff(err, shown.held.Load()))
		return ExitFailure
	}
	if !shown.refused.Load() {
		d.goodbye()
	}
	outcome.explain(d)
	d.transferred(conn.Session)
	return outcome.ExitCode()
}
