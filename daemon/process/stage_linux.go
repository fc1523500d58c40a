package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"minissh/daemon/process/stage"
)

const hasStages = true

// audits says whether a process has a login uid, by which the kernel's audit log names it. Only its
// main thread can set that, so a Go program cannot do it for itself and all that it starts.
var audits = sync.OnceValue(func() bool {
	_, err := os.Stat(stage.LoginUIDFile)
	return err == nil
})

// startStaged starts a command through a stage.
func startStaged(ctx context.Context, spec Spec) (*Process, error) {
	fail := func(err error) (*Process, error) { return nil, &StartError{"start", spec.Path, err} }
	who := spec.Credential
	if !spec.own { // a helper has had its turn (Turn)
		turn, err := awaitTurn(ctx, who.UID)
		if err != nil {
			return fail(err)
		}
		defer turn()
	}
	starts, err := beginStart(who.UID)
	if err != nil {
		return fail(err)
	}
	cgroup, left := "", func() {}
	if who.Origin == nil || !who.Origin.Placed() {
		cgroup, left, err = cgroups.enter(who.UID)
	}
	if err != nil {
		starts()
		return fail(err)
	}
	ended := func() { starts(); left() } // it will not run
	pipes, err := makePipes(spec)
	if err != nil {
		ended()
		return fail(err)
	}
	defer pipes.closeTheirs()
	started := time.Now()
	for {
		p, line, waited, err := takeStage(cgroup, spec)
		if err != nil {
			pipes.closeOurs()
			ended()
			return fail(err)
		}
		spec.noted(p.PID)
		if spec.Begins != nil {
			name := ""
			if pipes.tty != nil {
				name = pipes.tty.name
			}
			spec.Begins(p.PID, name)
		}
		status, err := converse(ctx, line, spec.order(pipes, cgroup), pipes)
		line.Close()
		if waited && errors.Is(err, errNoStage) { // somebody ended it while it waited
			abandon(p, func() {})
			continue
		}
		if err == nil && status.Errno == 0 {
			p.started, p.sys.ourKB, p.sys.before = started, int64(status.PeakKB), status.CPU
			pipes.join(p)
			go p.watch()
			starts()
			go fillReady()
			if cgroup != "" {
				go func() { <-p.done; left() }()
			}
			return p, nil
		}
		pipes.closeOurs()
		abandon(p, ended)
		errno := syscall.Errno(status.Errno)
		switch {
		case err != nil:
			return fail(err)
		case errno == syscall.EAGAIN:
			return fail(fmt.Errorf("%w: %w", ErrTasks, errno)) // setrlimit(2), RLIMIT_NPROC
		case status.Step == stage.StepRoot:
			return nil, &StartError{"chroot", who.Root, rootError(errno)}
		case status.Step == stage.StepChdir:
			return nil, &StartError{"chdir", spec.Dir, errno}
		case status.Step == stage.StepExec && !noRoom(errno):
			return nil, &StartError{"exec", spec.Path, errno}
		}
		return fail(errno)
	}
}

// rootError says why an account cannot be confined.
func rootError(errno syscall.Errno) error {
	switch errno {
	case syscall.EPERM:
		return errors.New("it and all directories above it must be root's, and nobody else may " +
			"write to them")
	case syscall.ELOOP, syscall.ENOTDIR:
		return errors.New("it, or one above it, is not a directory, or a link to one")
	}
	return errno
}

// errNoStage means that a stage ended before it had said anything.
var errNoStage = errors.New("it was ended before it had started")

// order is what a stage is told.
func (s Spec) order(pipes *pipeSet, cgroup string) *stage.Order {
	o := &stage.Order{
		UID: s.Credential.UID, GID: s.Credential.GID, Groups: s.Credential.Groups,
		Keyring: s.Credential.UID != 0, Unspare: spared(), PWD: s.ReportDir, Search: s.Search,
		Root: s.Credential.Root, Helper: s.own,
		Dir: s.Dir, DirElse: s.DirElse, Path: s.Path, Args: s.Args, Env: s.withoutPWD(),
	}
	if o.Root != "" && o.Helper { // it begins as root
		o.Env = slices.DeleteFunc(slices.Clone(o.Env), func(pair string) bool {
			name, _, _ := strings.Cut(pair, "=")
			return !slices.Contains([]string{"HOME", "USER", "LOGNAME", "SHELL", "PATH"}, name)
		})
	}
	from := s.Credential.Origin
	o.LoginUID, o.Arrival = from == nil, s.Arrival
	if from != nil {
		o.Keyring, o.Limits = false, from.Limits()
	}
	if s.own { // those would end a Go program
		o.Limits = slices.DeleteFunc(slices.Clone(o.Limits), stage.Limit.OfMemory)
	}
	if o.Arrival.Greets = o.Arrival.Greets && pipes.tty != nil; pipes.tty != nil {
		o.Terminal = uint32(1 + pipes.ctty)
		name := "SSH_TTY=" + pipes.tty.name
		o.Env = append(o.Env[:len(o.Env):len(o.Env)], name)
		after := o.Arrival.EnvAfter
		o.Arrival.EnvAfter = append(after[:len(after):len(after)], name)
	}
	if cgroup != "" && (cgroups.v1 || from != nil) { // clone3(2) knows no CLONE_PARENT
		o.Cgroup = cgroup + "/cgroup.procs"
	}
	return o
}

// forkStage starts a stage, from an Origin if not nil, in a cgroup of v2, if not "". The stage
// awaits its order at line's other end.
func forkStage(cgroup string, from Origin, lasts bool) (p *Process, line *os.File, err error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	defer unix.Close(ends[1])
	unix.SetNonblock(ends[0], true)
	line = os.NewFile(uintptr(ends[0]), "stage")
	p = &Process{done: make(chan struct{})}
	sys := &syscall.SysProcAttr{Setsid: true}
	p.sys.prepare(sys)
	if from != nil {
		p.PID, p.sys.pidfd, err = from.Fork(ends[1], lasts)
	} else {
		var placed func()
		if placed, err = cgroups.into(cgroup, sys); err == nil {
			p.PID, err = ForkStage(ends[1], sys)
			placed()
		}
	}
	if err != nil {
		line.Close()
		return nil, nil, err
	}
	return p, line, nil
}

// ForkStage starts this program as a stage in the root directory, with a socket for its order and
// nothing else. It will lead a kernel session when it has its order, if not before (sys.Setsid).
func ForkStage(socket int, sys *syscall.SysProcAttr) (pid int, err error) {
	self, err := selfPath()
	if err != nil {
		return 0, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	return syscall.ForkExec(self, []string{os.Args[0], stage.Mark}, &syscall.ProcAttr{
		Dir: rootDir, Env: []string{}, Sys: sys,
		Files: []uintptr{null.Fd(), null.Fd(), null.Fd(), uintptr(socket)},
	})
}

// converse gives a stage its order with the command's descriptors, and learns how far it gets. The
// last Status counts: if its Errno is 0, the program runs, or is about to.
func converse(ctx context.Context, line *os.File, order *stage.Order,
	pipes *pipeSet) (status stage.Status, err error) {
	line.SetDeadline(time.Now().Add(StartTime))
	stop := context.AfterFunc(ctx, func() { line.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err = sendWith(line, order.Bytes(), pipes.child); err == nil {
		status, err = lastStatus(line)
	}
	switch {
	case ctx.Err() != nil:
		err = errUnwanted
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = errSilent
	case errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET):
		err = errNoStage
	}
	return status, err
}

// lastStatus reads a stage's answers. After StepArrive nothing more is waited for.
func lastStatus(line io.Reader) (status stage.Status, err error) {
	var b [stage.SizeOfStatus]byte
	for n := 0; ; n++ {
		switch _, err := io.ReadFull(line, b[:]); {
		case err == io.EOF && n > 0:
			return status, nil
		case err == io.EOF, err == io.ErrUnexpectedEOF:
			return status, errNoStage
		case err != nil:
			return status, err
		}
		if status = stage.ParseStatus(b[:]); status.Step == stage.StepArrive {
			return status, nil
		}
	}
}

// sendWith writes text, whose first bytes carry descriptors.
func sendWith(line *os.File, text []byte, files []int) error {
	raw, err := line.SyscallConn()
	if err != nil {
		return err
	}
	sent, rights := 0, unix.UnixRights(files...)
	waited := raw.Write(func(fd uintptr) bool {
		sent, err = unix.SendmsgN(int(fd), text, rights, nil, unix.MSG_NOSIGNAL)
		return err != unix.EAGAIN && err != unix.EINTR
	})
	if err = errors.Join(waited, err); err == nil && sent < len(text) {
		_, err = line.Write(text[sent:])
	}
	return err
}

// abandon kills a stage that does not become its command, and reaps it when it is dead. What hangs
// in the kernel may hang for long: nobody waits for it.
func abandon(p *Process, dead func()) {
	// nobody has reaped it, so the number is still its own
	syscall.Kill(p.PID, unix.SIGKILL)
	syscall.Kill(-p.PID, unix.SIGKILL)
	go func() {
		p.watch()
		p.reap()
		dead()
	}()
}

// readyMost is how many stages wait ready-made: starting one takes longer than the rest of a
// command's start. Commands that come one after the other need no more.
const readyMost = 2

// ready are the stages that wait for an order. They are root's, and each becomes one command.
var ready struct {
	sync.Mutex
	keep    bool // whether any are kept
	filling bool // whether one is being started
	stages  []waitingStage
}

type waitingStage struct {
	p    *Process
	line *os.File
}

// KeepReady keeps stages ready-made, so that the commands of other accounts start quickly. It is
// for root's daemon, and starts them in the background. EndReady ends them.
func KeepReady() {
	ready.Lock()
	ready.keep = true
	ready.Unlock()
	go fillReady()
}

// EndReady ends the stages that wait, and keeps no more.
func EndReady() {
	ready.Lock()
	stages := ready.stages
	ready.keep, ready.stages = false, nil
	ready.Unlock()
	for _, s := range stages {
		s.end()
	}
}

// end ends a stage that has had no order, and waits for its end: such a stage hangs nowhere.
func (s waitingStage) end() {
	s.line.Close()
	dead := make(chan struct{})
	abandon(s.p, func() { close(dead) })
	<-dead
}

// takeStage returns a stage that has waited, or a new one. One that begins in a cgroup of v2 is
// always new: moving a process costs more than starting one. So is one with an Origin.
func takeStage(cgroup string, spec Spec) (p *Process, line *os.File, waited bool, err error) {
	if from := spec.Credential.Origin; from != nil {
		p, line, err = forkStage("", from, spec.lasts)
		return p, line, false, err
	}
	begins := cgroup != "" && !cgroups.v1
	ready.Lock()
	if n := len(ready.stages); n > 0 && !begins {
		s := ready.stages[n-1]
		ready.stages = ready.stages[:n-1]
		ready.Unlock()
		return s.p, s.line, true, nil
	}
	ready.Unlock()
	if !begins {
		cgroup = ""
	}
	p, line, err = forkStage(cgroup, nil, false)
	return p, line, false, err
}

// fillReady starts stages until enough wait. One at a time is started.
func fillReady() {
	for {
		ready.Lock()
		if !ready.keep || ready.filling || len(ready.stages) >= readyMost {
			ready.Unlock()
			return
		}
		ready.filling = true
		ready.Unlock()
		p, line, err := forkStage("", nil, false)
		ready.Lock()
		ready.filling = false
		keep := err == nil && ready.keep
		if keep {
			ready.stages = append(ready.stages, waitingStage{p, line})
		}
		ready.Unlock()
		if err != nil {
			return // no room, say: the next command tries
		}
		if !keep {
			waitingStage{p, line}.end()
			return
		}
	}
}
