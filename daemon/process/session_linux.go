package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol/nonblock"
)

// hangUp sends HUP and CONT to the group, and to members of the session that are in other groups:
// timeout(1) and `set -m` make such groups, and they should have a chance to clean up.
func (p *Process) hangUp() {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.reaped || p.released || !p.kept() {
		return
	}
	syscall.Kill(-p.PID, unix.SIGHUP)
	syscall.Kill(-p.PID, unix.SIGCONT)
	p.members(func(s procStat) {
		if s.pgrp != p.PID {
			p.signalMember(s.pid, unix.SIGHUP)
			p.signalMember(s.pid, unix.SIGCONT)
		}
	})
}

// sweep looks once for living members, and kills them if asked: the group at one stroke, which no
// fork within it can outrun, then the others as it finds them.
func (p *Process) sweep(kill bool) ([]Survivor, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.reaped || p.released {
		return nil, ErrFinished
	}
	if !kill || !p.kept() {
		return p.members(nil)
	}
	if err := syscall.Kill(-p.PID, unix.SIGKILL); err != nil && err != unix.EPERM &&
		err != unix.ESRCH {
		return nil, os.NewSyscallError("kill", err)
	}
	p.killCgroup()
	return p.members(func(s procStat) { p.signalMember(s.pid, unix.SIGKILL) })
}

// members lists the living processes of the session, and of the cgroup if there is one, and calls
// each, if not nil, with one as soon as it is seen: /proc is listed by rising number, so children
// made meanwhile mostly still follow. mu is held, so the leader's number is ours; for the others a
// line of /proc is only a hint, which signalMember verifies. One look at /proc serves all who ask
// at the same time.
func (p *Process) members(each func(procStat)) ([]Survivor, error) {
	seen, err := processes.look(p.PID, each)
	if err != nil {
		return nil, err
	}
	if !seen.leader && !p.orphaned {
		// The leader is kept until Close: a /proc without it cannot show that all are dead.
		return seen.alive, fmt.Errorf("/proc does not show process %d", p.PID)
	}
	return append(seen.alive, p.escaped(each)...), nil
}

// kept says whether the command's number is ours to use. When its parent has gone, the kernel keeps
// it for as long as a member of its session lives. The caller holds mu.
func (p *Process) kept() bool {
	if !p.orphaned {
		return true
	}
	alive, err := p.members(nil)
	return err == nil && len(alive) > 0
}

func readStat(pid int) (procStat, error) {
	line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return procStat{}, err
	}
	return parseStat(line)
}

// signalMember signals a process only if it is in our session, or cgroup. The pidfd comes first: a
// number that is recycled after that gets no signal, one recycled before has another session.
func (p *Process) signalMember(pid int, sig syscall.Signal) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil && !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM) {
		return err
	}
	if err == nil {
		defer unix.Close(fd)
	}
	s, statErr := readStat(pid)
	if statErr != nil || s.session != p.PID && !p.holds(pid) {
		return unix.ESRCH
	}
	if err != nil {
		return syscall.Kill(pid, sig)
	}
	return unix.PidfdSendSignal(fd, sig, nil, 0)
}

// HangUp is Stop for a command on a terminal whose user has gone: as under sshd, the background
// jobs of a shell are left to that shell (TE3). The terminal is closed, and the kernel sends HUP
// and CONT to the command itself; we send them to the others of its process group and to the
// foreground one. What still lives of these two groups after grace is killed, until none is left.
// Without a terminal it is Stop.
//
// The command gets no second HUP: a shell that gets one while it passes the first on to its jobs
// leaves at once, and misses some.
func (p *Process) HangUp(ctx context.Context, grace time.Duration) ([]Survivor, error) {
	if p.tty == nil {
		return p.Stop(ctx, grace)
	}
	groups := map[int]bool{p.PID: true, p.tty.foreground(): true}
	p.tty.Close()
	return p.hangUpGroups(ctx, grace, groups)
}

// hangUpGroups is HangUp for these groups, when the terminal is closed.
func (p *Process) hangUpGroups(ctx context.Context, grace time.Duration, groups map[int]bool) (
	[]Survivor, error) {
	send := func(signals ...unix.Signal) ([]Survivor, error) {
		return p.signalGroups(groups, 0, signals...)
	}
	if grace > 0 {
		p.signalGroups(groups, p.PID, unix.SIGHUP, unix.SIGCONT)
		limited, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		left, err := twiceEmpty(limited, func() ([]Survivor, error) { return send() })
		if err == nil && len(left) == 0 {
			return nil, nil
		}
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), confirmTime)
	defer cancel()
	left, err := twiceEmpty(limited, func() ([]Survivor, error) { return send(unix.SIGKILL) })
	if errors.Is(err, ErrFinished) {
		return nil, nil
	}
	if len(left) > 0 || err != nil {
		return left, survivors(left, err)
	}
	return nil, nil
}

// signalGroups looks once for living members of the session that are in one of the groups, and
// sends each the signals, but one.
func (p *Process) signalGroups(groups map[int]bool, but int, signals ...unix.Signal) (
	alive []Survivor, err error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.reaped || p.released {
		return nil, ErrFinished
	}
	_, err = p.members(func(s procStat) {
		if !groups[s.pgrp] {
			return
		}
		alive = append(alive, Survivor{PID: s.pid, Comm: s.comm})
		for _, sig := range signals {
			if s.pid != but {
				p.signalMember(s.pid, sig)
			}
		}
	})
	return alive, err
}

// signalForeground sends a signal to a terminal's foreground process group, and says whether there
// was one other than the command's own. Its members are signalled one by one: unlike the command's
// own, its number is not ours to keep. The caller holds mu.
func (p *Process) signalForeground(sig unix.Signal) bool {
	if p.tty == nil {
		return false
	}
	group, found := p.tty.foreground(), false
	if group == p.PID {
		return false
	}
	p.members(func(s procStat) {
		if s.pgrp == group {
			found = p.signalMember(s.pid, sig) == nil || found
		}
	})
	return found
}

// signalStopped lets what is stopped in a terminal's foreground process group go on, so that it
// acts on what it was sent: its parent may wait for that, and never be seen to stop. A shell that
// starts a program by vfork does, if Ctrl-Z finds that between vfork and exec.
func (p *Process) signalStopped() {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.reaped || p.tty == nil {
		return
	}
	group := p.tty.foreground()
	p.members(func(s procStat) {
		if s.pgrp == group && s.state == 'T' {
			p.signalMember(s.pid, unix.SIGCONT)
		}
	})
}

// shortWay reads and writes a terminal without waking the scheduler's watcher at each key.
func shortWay(f *os.File) io.ReadWriter {
	if d, err := nonblock.New(f); err == nil {
		return d
	}
	return f
}

// A look at all processes costs as much as there are of them. When many commands are stopped at
// once, one look serves all who wait for one. It begins after each of them has asked, as a look of
// its own would, so two looks that find nobody still prove what they must (RULES C2).

// census takes such looks, one at a time.
type census struct {
	turn chan struct{} // holds a token while somebody looks

	mu    sync.Mutex // guards the rest
	next  *round     // the look that has not begun; nil: nobody waits for one
	looks int        // that were begun, for tests
}

// round is one look.
type round struct {
	wanted map[int][]*look // by session
	done   chan struct{}   // closed when the looks are filled
	err    error           // why /proc could not be read
}

// look is what one caller wants to know about a session, and finds.
type look struct {
	each   func(procStat) // called with each living member as soon as it is seen; may be nil
	alive  []Survivor
	leader bool // /proc is there and shows us at least the zombie
}

var processes = &census{turn: make(chan struct{}, 1)}

// look looks at a session's members. each may be called on another goroutine, while look waits.
func (c *census) look(session int, each func(procStat)) (*look, error) {
	mine := &look{each: each}
	c.mu.Lock()
	if c.next == nil {
		c.next = &round{wanted: map[int][]*look{}, done: make(chan struct{})}
	}
	r := c.next
	r.wanted[session] = append(r.wanted[session], mine)
	c.mu.Unlock()
	select {
	case c.turn <- struct{}{}:
		c.take(r)
		<-c.turn
	case <-r.done:
	}
	<-r.done
	return mine, r.err
}

// take does a round's look, unless it was done meanwhile. The caller has the turn.
func (c *census) take(r *round) {
	c.mu.Lock()
	begins := c.next == r
	if begins {
		c.next = nil
		c.looks++
	}
	c.mu.Unlock()
	if begins {
		r.err = r.read()
		close(r.done)
	}
}

// read goes through /proc once.
func (r *round) read() error {
	dir, err := os.Open("/proc")
	if err != nil {
		return err
	}
	defer dir.Close()
	for {
		names, err := dir.Readdirnames(256)
		for _, name := range names {
			pid, err := strconv.Atoi(name)
			if err != nil {
				continue
			}
			s, err := readStat(pid)
			if err != nil {
				continue
			}
			for _, l := range r.wanted[s.session] {
				l.saw(s)
			}
		}
		if len(names) == 0 || err != nil {
			return nil
		}
	}
}

// saw notes a process of the session.
func (l *look) saw(s procStat) {
	l.leader = l.leader || s.pid == s.session
	if !s.alive() {
		return
	}
	l.alive = append(l.alive, Survivor{PID: s.pid, Comm: s.comm})
	if l.each != nil {
		l.each(s)
	}
}

// procStat is the part of /proc/PID/stat that says who belongs where; see proc_pid_stat(5).
type procStat struct {
	pid     int
	comm    string
	state   byte // 'R', 'S', 'D', 'T', 'Z', …
	ppid    int
	pgrp    int
	session int
	threads int
}

var errStat = errors.New("malformed stat line")

// parseStat reads one line of /proc/PID/stat. The name in parentheses may hold anything, `) (` and
// newlines too, but no later field holds a parenthesis: the name ends at the last one.
func parseStat(line []byte) (procStat, error) {
	var s procStat
	open, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 1 || end < open {
		return s, errStat
	}
	var err error
	if s.pid, err = strconv.Atoi(string(bytes.TrimSpace(line[:open]))); err != nil {
		return s, errStat
	}
	s.comm = string(line[open+1 : end])
	fields := bytes.Fields(line[end+1:])
	// fields[0] is the state, field 3 of the man page; num_threads is field 20.
	if len(fields) < 18 || len(fields[0]) != 1 {
		return s, errStat
	}
	s.state = fields[0][0]
	for _, f := range []struct {
		to *int
		at int
	}{{&s.ppid, 1}, {&s.pgrp, 2}, {&s.session, 3}, {&s.threads, 17}} {
		if *f.to, err = strconv.Atoi(string(fields[f.at])); err != nil {
			return s, errStat
		}
	}
	return s, nil
}

// alive says whether anything of the process can still run. A process whose main thread has ended
// shows as a zombie while its other threads go on.
func (s procStat) alive() bool {
	switch s.state {
	case 'Z', 'X', 'x':
		return s.threads > 1
	}
	return true
}
