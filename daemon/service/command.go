package service

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// command is a process with its channel.
type command struct {
	h       *Host
	ch      *mux.Channel
	p       *process.Process
	who     *access.Client
	timeout time.Duration
	ended   chan struct{} // closed when the command has nothing left to do here
	lost    chan struct{} // closed when it could not be stopped, so that nobody knows when it ends
	in, out atomic.Int64  // bytes, for the log
	streams atomic.Int32  // of output, not at their end
	waiting atomic.Int32  // of them, those that wait for the command to write

	stops sync.WaitGroup // a stop under way

	mu      sync.Mutex // guards the rest
	over    bool       // too late to stop it, or to make a job of it
	settled bool       // it is too late to make a job of it
	wanted  bool       // a job is to be made of it
	alone   bool       // and its client has gone: nobody takes what it has written
	stopped string     // why it was stopped, one of protocol's How
	left    []process.Survivor

	shell string // its name, if it is told lines (LI1); constant
	noPTY error  // why the terminal that was asked for is missing; constant

	record *record // of its terminal, until it ends or somebody else has it; may be nil; constant

	answers func() // called when output has come, more than once; may be nil; constant

	words    string        // what was asked for; constant
	began    time.Time     // constant
	deadline time.Time     // of timeout; zero: none; constant once run has begun
	handing  chan struct{} // closed when the command is to be a job's (JO10)
	handed   chan struct{} // closed when nothing here reads of it or types any more
}

func newCommand(h *Host, ch *mux.Channel, p *process.Process, who *access.Client) *command {
	return &command{h: h, ch: ch, p: p, who: who, ended: make(chan struct{}),
		lost: make(chan struct{}), words: asked(ch.Request()), began: time.Now(),
		handing: make(chan struct{}), handed: make(chan struct{})}
}

// run sees a started command to its end (CH4), or until it is a job: OPENED, output, EOF for each,
// EXIT, CLOSE.
func (c *command) run() {
	c.ch.Send(protocol.TypeOpened, &protocol.Opened{PID: c.p.PID, TTY: protocol.Bytes(c.p.TTY),
		Shell: c.shell})
	if c.noPTY != nil {
		c.notice(protocol.NoticePTYRefused, c.noPTY)
	}
	var output, others sync.WaitGroup
	c.streams.Store(2)
	output.Go(func() { c.forward(protocol.TypeStdout, c.p.Stdout) })
	output.Go(func() { c.forward(protocol.TypeStderr, c.p.Stderr) })
	others.Go(c.feed)
	others.Go(c.requests)
	var deadline *time.Timer
	if c.timeout > 0 {
		c.deadline = time.Now().Add(c.timeout)
		deadline = time.AfterFunc(c.timeout, func() { c.stop(protocol.HowDeadline) })
	}
	drained := make(chan struct{})
	go func() { output.Wait(); close(drained) }()
	select {
	case <-c.p.Done():
	case <-c.lost: // in a system call that nothing interrupts: nobody waits for it
	case <-c.handing:
	}
	c.record.end()
	if deadline != nil {
		deadline.Stop()
	}
	if c.mayHand() {
		c.p.LetGo()
		c.awaitClient(drained)
		c.ch.Close(refusal(protocol.CodeDetached, "what ran here is a job now"))
		<-drained
		close(c.ended)
		close(c.handed) // its input ends with the channel, whenever that is
		return
	}
	c.p.Drain()
	c.awaitOutput(drained)
	exit := c.exit()
	c.logEnd(exit)
	c.ch.End(exit)
	close(c.ended)
	c.p.Close()
	others.Wait()
}

// heldAfter is how long after a command's end its output may stay open before the client is told. A
// prompt waits this long after a line that ends in `&`.
const heldAfter = 100 * time.Millisecond

// awaitOutput waits for the end of all output, as ssh does: what the command left running may still
// write (EX5). It does not wait when nobody needs the output any more, or when the command was
// stopped and only what escaped holds the output.
func (c *command) awaitOutput(drained <-chan struct{}) {
	held := time.NewTimer(heldAfter)
	defer held.Stop()
	escaped := time.NewTimer(c.h.StopGrace)
	defer escaped.Stop()
	for {
		select {
		case <-drained:
			return
		case <-held.C:
			if c.wasStopped() { // what holds it is being stopped too
				continue
			}
			if c.waiting.Load() < c.streams.Load() { // the client is slow, that is all
				held.Reset(heldAfter)
				continue
			}
			c.noticeHeld()
		case <-escaped.C:
			if !c.wasStopped() {
				continue
			}
			c.p.Stdout.Close()
			c.p.Stderr.Close()
		case <-c.ch.Gone():
			c.p.Stdout.Close()
			c.p.Stderr.Close()
			<-drained
			return
		}
	}
}

// requests acts on signals and sizes, and stops a command that the client does not want any more
// (CH9).
func (c *command) requests() {
	for {
		select {
		case e := <-c.ch.Requests():
			if sig, ok := e.Message.(*protocol.Signal); ok {
				c.signal(sig.Signal)
			}
		case size := <-c.ch.Resizes():
			if size.Valid() {
				c.p.Resize(size) // without a terminal it does nothing (TE2)
			}
		case <-c.ch.Gone():
			select {
			case <-c.p.Done(): // it has ended by itself: what it left running lives on (RULES C1)
			default:
				why := protocol.HowCancelled
				if c.ch.SessionEnded() {
					why = protocol.HowHungUp
				}
				c.stop(why)
			}
			return
		case <-c.ended:
			return
		}
	}
}

// stop ends the command and its kernel session (EX7; on a terminal TE3). The first why counts.
func (c *command) stop(why string) {
	c.mu.Lock()
	if c.over || c.wanted || c.stopped != "" {
		c.mu.Unlock()
		return
	}
	c.stopped = why
	c.stops.Add(1)
	c.mu.Unlock()
	defer c.stops.Done()
	end := c.p.HangUp // without a terminal the same as Stop
	if why == protocol.HowDeadline {
		end = c.p.Stop
	}
	left, _ := end(c.h.Hurried, c.h.StopGrace)
	c.mu.Lock()
	c.left = left
	c.mu.Unlock()
	if slices.ContainsFunc(left, func(s process.Survivor) bool { return s.PID == c.p.PID }) {
		close(c.lost)
	}
}

func (c *command) wasStopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopped != ""
}

// mayHand says whether a job is to be made of the command, which stays as it is then.
func (c *command) mayHand() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled, c.over = true, c.over || c.wanted
	return c.wanted
}

// screenTime is how long a client may take to have the output of a command that becomes a job, and
// then to send what it has seen (JO10).
const screenTime = 10 * time.Second

// awaitClient waits until a client has had the output of a command that becomes a job. It does not
// wait long, or for one that is away: the job goes on all the same.
func (c *command) awaitClient(drained <-chan struct{}) {
	if c.alone {
		return
	}
	late := time.NewTimer(screenTime)
	defer late.Stop()
	select {
	case <-drained:
	case <-late.C:
	case <-c.ch.Gone():
	}
}

// hand ends the command's part here, when the client has had its output (JO10), unless that is away
// (JO11). It is false if the command has ended, or is being stopped.
func (c *command) hand(away bool) bool {
	c.mu.Lock()
	if c.over || c.settled || c.wanted || c.stopped != "" {
		c.mu.Unlock()
		return false
	}
	c.wanted, c.alone = true, away
	close(c.handing)
	c.mu.Unlock()
	<-c.handed
	return true
}

// exit reports how it ended (EX6). The command has ended; a stop under way is waited for, so that
// what is reported dead is dead.
func (c *command) exit() *protocol.Exit {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.stops.Wait()
	r := process.Result{How: process.Unknown}
	select {
	case <-c.p.Done():
		r = c.p.Result()
	default: // lost
	}
	exit := r.Exit()
	if c.stopped != "" {
		exit.How = c.stopped
	}
	for _, survivor := range c.left {
		exit.Left = append(exit.Left, protocol.Process{PID: survivor.PID, Name: survivor.Comm})
	}
	return exit
}

func (c *command) logEnd(exit *protocol.Exit) {
	args := []any{"pid", c.p.PID, "channel", c.ch.ID(), "how", exit.How,
		"duration_ms", exit.Duration, "bytes_in", c.in.Load(), "bytes_out", c.out.Load()}
	if exit.Code != nil {
		args = append(args, "code", *exit.Code)
	}
	if exit.Signal != "" {
		args = append(args, "signal", exit.Signal)
	}
	if len(exit.Left) > 0 {
		args = append(args, "left", exit.Left)
	}
	c.h.noted(c.who, "Command ended", args...)
}

// signal acts on SIGNAL (EX3). For a command that has ended it does nothing, even if its group or
// session lives on: those do not belong to the client (RULES C1).
func (c *command) signal(name string) {
	select {
	case <-c.p.Done():
		if process.KnownSignal(name) {
			return
		}
	default:
	}
	if err := c.p.Signal(name); errors.Is(err, process.ErrUnknownSignal) {
		c.notice(protocol.NoticeSignalRefused, err)
	}
}

func (c *command) notice(what string, why error) {
	c.ch.Send(protocol.TypeNotice, &protocol.Notice{Notice: what, Message: why.Error()})
}

// noticeHeld says that only the output is waited for now, with the outcome (EX5) unless its
// directories are too long for a NOTICE.
func (c *command) noticeHeld() {
	held := protocol.Notice{Notice: protocol.NoticeOutputHeld, Exit: c.exit()}
	if c.ch.Send(protocol.TypeNotice, &held) != nil {
		held.Exit = nil
		c.ch.Send(protocol.TypeNotice, &held)
	}
}
