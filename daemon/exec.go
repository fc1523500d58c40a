package daemon

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// exec runs one command (EX1). The answer is not nil if it was refused or could not be started.
func (s *Server) exec(ch *mux.Channel, who *peer) *protocol.Reason {
	open := ch.Request()
	spec, reason := s.spec(open, who)
	if reason != nil {
		return reason
	}
	refused := s.terminal(&spec, open, who)
	ctx, cancel := untilGone(ch)
	defer cancel()
	p, err := process.StartContext(ctx, spec)
	if errors.Is(err, process.ErrNoPTY) {
		refused, spec.PTY = err, nil
		p, err = process.StartContext(ctx, spec)
	}
	if err != nil {
		code := protocol.CodeStartFailed
		var start *process.StartError
		if errors.As(err, &start) && start.Op == "chdir" {
			code = protocol.CodeNoDirectory
		}
		return refusal(code, err.Error())
	}
	c := &command{s: s, ch: ch, p: p, who: who, timeout: time.Duration(open.Timeout) * time.Millisecond, ended: make(chan struct{}), lost: make(chan struct{}), noPTY: refused}
	s.tally.noted("Starting command", who, "Starting command for "+logName(who.user)+" "+from(who.addr), "pid", p.PID, "channel", ch.ID(), "command", clip(asked(open), 512), "forced", who.grant.Forced, "tty", p.TTY)
	c.run()
	return nil
}

// untilGone is a context that ends when the client does not want the channel any more.
func untilGone(ch *mux.Channel) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-ch.Gone():
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// asked is what the client wanted to run, in words; "" is a shell.
func asked(open *protocol.Open) string {
	if open.Shell {
		return ""
	}
	if len(open.Argv) == 0 {
		return string(open.Command)
	}
	words := make([]string, len(open.Argv))
	for i, word := range open.Argv {
		words[i] = string(word)
	}
	return strings.Join(words, " ")
}

// spec turns a request into what to start (EX1).
func (s *Server) spec(open *protocol.Open, who *peer) (process.Spec, *protocol.Reason) {
	acct := who.account
	spec := process.Spec{Path: acct.Shell, Dir: acct.Dir(), DirElse: "/", Credential: acct.Credential}
	extra := connectionEnvironment(who)
	for _, pair := range open.Env {
		if acceptedName(string(pair[0])) {
			extra = append(extra, string(pair[0])+"="+string(pair[1]))
		}
	}
	extra = append(extra, who.grant.Environment...)
	var broken *protocol.Violation
	if errors.As(open.CheckExec(), &broken) {
		return spec, refusal(broken.Code, broken.Message)
	}
	if len(open.Dir) > 0 && !who.grant.Forced {
		spec.DirElse = ""
		if spec.Dir = string(open.Dir); !filepath.IsAbs(spec.Dir) {
			spec.Dir = filepath.Join(acct.Dir(), spec.Dir)
		}
	}
	switch {
	case who.grant.Forced:
		if !open.Shell {
			extra = append(extra, "SSH_ORIGINAL_COMMAND="+asked(open))
		}
		spec.Args = process.ShellCommand(acct.Shell, who.grant.Command)
	case open.Shell:
		spec.Args = process.LoginShell(acct.Shell)
	case len(open.Argv) > 0:
		for _, word := range open.Argv {
			spec.Args = append(spec.Args, string(word))
		}
	case open.ReportDir:
		spec.OldDir = string(open.OldDir)
		spec.Args, spec.ReportDir = process.ShellLine(acct.Shell, string(open.Command), spec.OldDir)
	default:
		spec.Args = process.ShellCommand(acct.Shell, string(open.Command))
	}
	spec.Env = process.Environment(acct, extra...)
	if len(open.Argv) > 0 && !who.grant.Forced {
		spec.Path, spec.Search = spec.Args[0], true
	}
	return spec, nil
}

// acceptedName lists what a client may set in a command's environment, as Debian's sshd does (AcceptEnv); and GIT_PROTOCOL, which git(1) asks
// admins to accept.
func acceptedName(name string) bool {
	return name == "LANG" || strings.HasPrefix(name, "LC_") || name == "COLORTERM" || name == "GIT_PROTOCOL" || name == "NO_COLOR"
}

// connectionEnvironment is SSH_CLIENT and SSH_CONNECTION as sshd sets them (ssh(1), ENVIRONMENT).
func connectionEnvironment(who *peer) []string {
	local, ok := who.local.(*net.TCPAddr)
	if !ok || !who.addr.IsValid() {
		return nil
	}
	to := netip.AddrPortFrom(local.AddrPort().Addr().Unmap(), local.AddrPort().Port())
	client, clientPort := who.addr.Addr().String(), strconv.Itoa(int(who.addr.Port()))
	return []string{
		"SSH_CLIENT=" + client + " " + clientPort + " " + strconv.Itoa(int(to.Port())),
		"SSH_CONNECTION=" + client + " " + clientPort + " " + to.Addr().String() + " " + strconv.Itoa(int(to.Port())),
	}
}

// command is a process with its channel.
type command struct {
	s       *Server
	ch      *mux.Channel
	p       *process.Process
	who     *peer
	timeout time.Duration
	ended   chan struct{} // closed when the command's life here is over
	lost    chan struct{} // closed when it could not be stopped, so that nobody knows when it ends
	in, out atomic.Int64  // bytes, for the log
	streams atomic.Int32  // of output, not at their end
	waiting atomic.Int32  // of them, those that wait for the command to write

	stops sync.WaitGroup // a stop under way

	mu      sync.Mutex // guards the rest
	over    bool       // too late to stop it
	stopped string     // why it was stopped, one of protocol's How
	left    []process.Survivor

	noPTY error // why the terminal that was asked for is not there; constant
}

// run sees a started command to its end (CH4): OPENED, output, EOF for each, EXIT, CLOSE.
func (c *command) run() {
	c.ch.Send(protocol.TypeOpened, &protocol.Opened{PID: c.p.PID, TTY: protocol.Bytes(c.p.TTY)})
	if c.noPTY != nil {
		c.ch.Send(protocol.TypeNotice, &protocol.Notice{Notice: protocol.NoticePTYRefused, Message: c.noPTY.Error()})
	}
	var output, others sync.WaitGroup
	c.streams.Store(2)
	output.Go(func() { c.forward(protocol.TypeStdout, c.p.Stdout) })
	output.Go(func() { c.forward(protocol.TypeStderr, c.p.Stderr) })
	others.Go(c.feed)
	others.Go(c.requests)
	var deadline *time.Timer
	if c.timeout > 0 {
		deadline = time.AfterFunc(c.timeout, func() { c.stop(protocol.HowDeadline) })
	}
	drained := make(chan struct{})
	go func() { output.Wait(); close(drained) }()
	select {
	case <-c.p.Done():
	case <-c.lost: // in a system call that nothing interrupts: nobody waits for it
	}
	if deadline != nil {
		deadline.Stop()
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

// heldAfter is how long after a command's end its output may stay open before the client is told. A prompt waits so long after a line that ends in `&`.
const heldAfter = 100 * time.Millisecond

// awaitOutput waits for the end of all output, as ssh does: what the command left running may still write (EX5). When nobody
// is interested any more, or the command was stopped and only what escaped holds the output, it does not wait.
func (c *command) awaitOutput(drained <-chan struct{}) {
	held := time.NewTimer(heldAfter)
	defer held.Stop()
	escaped := time.NewTimer(c.s.opts.StopGrace)
	defer escaped.Stop()
	for {
		select {
		case <-drained:
			return
		case <-held.C:
			if c.wasStopped() { // what holds it is being stopped as well
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

// requests acts on signals and new sizes, and stops the command when the client does not want it any more (CH9).
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

// stop ends the command and everything in its kernel session (EX7), on a terminal what TE3 says. The first reason counts.
func (c *command) stop(why string) {
	c.mu.Lock()
	if c.over || c.stopped != "" {
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
	left, _ := end(c.s.hurried, c.s.opts.StopGrace)
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

// exit tells how it ended (EX6). The command has ended; a stop under way is waited for, so that what is told to be dead is dead.
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
	exit := &protocol.Exit{
		How: string(r.How), Duration: r.Duration.Milliseconds(), UserTime: r.User.Milliseconds(), SysTime: r.System.Milliseconds(),
		MaxRSS: r.MaxRSS / 1024, Dir: r.Dir, OldDir: r.OldDir,
	}
	switch r.How {
	case process.Exited:
		exit.Code = &r.Code
	case process.Signalled:
		exit.Signal, exit.Core = r.Signal, r.Core
	}
	if c.stopped != "" {
		exit.How = c.stopped
	}
	for _, survivor := range c.left {
		exit.Left = append(exit.Left, protocol.Process{PID: survivor.PID, Name: survivor.Comm})
	}
	return exit
}

func (c *command) logEnd(exit *protocol.Exit) {
	args := []any{"pid", c.p.PID, "how", exit.How, "duration_ms", exit.Duration, "bytes_in", c.in.Load(), "bytes_out", c.out.Load()}
	if exit.Code != nil {
		args = append(args, "code", *exit.Code)
	}
	if exit.Signal != "" {
		args = append(args, "signal", exit.Signal)
	}
	if len(exit.Left) > 0 {
		args = append(args, "left", exit.Left)
	}
	c.s.tally.noted("Command ended", c.who, "Command ended for "+logName(c.who.user)+" "+from(c.who.addr), args...)
}
