package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"minissh/daemon/process/stage"
)

const hasStages = true

// startStaged starts a command through a stage.
func startStaged(ctx context.Context, spec Spec) (*Process, error) {
	fail := func(err error) (*Process, error) { return nil, &StartError{"start", spec.Path, err} }
	turn, err := awaitTurn(ctx, spec.Credential.UID)
	if err != nil {
		return fail(err)
	}
	defer turn()
	starts, err := beginStart(spec.Credential.UID)
	if err != nil {
		return fail(err)
	}
	cgroup, left, err := cgroups.enter(spec.Credential.UID)
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
		p, line, waited, err := takeStage(cgroup)
		if err != nil {
			pipes.closeOurs()
			ended()
			return fail(err)
		}
		status, err := converse(ctx, line, spec.order(pipes, cgroup), pipes)
		line.Close()
		if waited && errors.Is(err, errNoStage) { // somebody ended it while it waited
			p.abandon(func() {})
			continue
		}
		if err == nil && status.Errno == 0 {
			p.started, p.sys.ourKB, p.sys.before = started, int64(status.PeakKB), status.CPU
			p.join(pipes)
			go p.watch()
			starts()
			go fillReady()
			if cgroup != "" {
				go func() { <-p.done; left() }()
			}
			return p, nil
		}
		pipes.closeOurs()
		p.abandon(ended)
		errno := syscall.Errno(status.Errno)
		switch {
		case err != nil:
			return fail(err)
		case errno == syscall.EAGAIN:
			return fail(fmt.Errorf("%w: %w", ErrTasks, errno)) // setrlimit(2), RLIMIT_NPROC
		case status.Step == stage.StepChdir:
			return nil, &StartError{"chdir", spec.Dir, errno}
		case status.Step == stage.StepExec && !noRoom(errno):
			return nil, &StartError{"exec", spec.Path, errno}
		}
		return fail(errno)
	}
}

// errNoStage means that a stage ended before it had said anything.
var errNoStage = errors.New("it was ended before it had started")

// order is what a stage is told.
func (s Spec) order(pipes *pipeSet, cgroup string) *stage.Order {
	o := &stage.Order{
		UID: s.Credential.UID, GID: s.Credential.GID, Groups: s.Credential.Groups,
		Keyring: s.Credential.UID != 0, Unspare: spared(), Terminal: s.PTY != nil, PWD: s.ReportDir, Search: s.Search,
		Dir: s.Dir, DirElse: s.DirElse, Path: s.Path, Args: s.Args, Env: s.withoutPWD(),
	}
	if pipes.tty != nil {
		o.Env = append(o.Env[:len(o.Env):len(o.Env)], "SSH_TTY="+pipes.tty.name)
	}
	if cgroup != "" && cgroups.v1 {
		o.Cgroup = cgroup + "/cgroup.procs"
	}
	return o
}

// forkStage starts a stage in a cgroup of v2, if it is not "". It waits for its order on the other
// end of line.
func forkStage(cgroup string) (p *Process, line *os.File, err error) {
	self, err := selfPath()
	if err != nil {
		return nil, nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	defer null.Close()
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	defer unix.Close(ends[1])
	unix.SetNonblock(ends[0], true)
	line = os.NewFile(uintptr(ends[0]), "stage")
	attr := &syscall.ProcAttr{
		Dir: rootDir, Env: []string{}, Files: []uintptr{null.Fd(), null.Fd(), null.Fd(), uintptr(ends[1])},
		Sys: &syscall.SysProcAttr{Setsid: true},
	}
	placed, err := cgroups.into(cgroup, attr.Sys)
	if err != nil {
		line.Close()
		return nil, nil, err
	}
	defer placed()
	p = &Process{done: make(chan struct{})}
	p.sys.prepare(attr.Sys)
	if p.PID, err = syscall.ForkExec(self, []string{os.Args[0], stage.Mark}, attr); err != nil {
		line.Close()
		return nil, nil, err
	}
	return p, line, nil
}

// converse gives a stage its order with the command's descriptors, and hears how far it comes. The
// last Status counts: if its Errno is 0, the program runs.
func converse(ctx context.Context, line *os.File, order *stage.Order, pipes *pipeSet) (status stage.Status, err error) {
	line.SetDeadline(time.Now().Add(StartTime))
	stop := context.AfterFunc(ctx, func() { line.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err = sendWith(line, order.Bytes(), pipes.child); err == nil {
		var answers []byte
		answers, err = io.ReadAll(io.LimitReader(line, 2*stage.SizeOfStatus))
		if n := len(answers); err == nil && (n == 0 || n%stage.SizeOfStatus != 0) {
			err = errNoStage
		} else if err == nil {
			status = stage.ParseStatus(answers[n-stage.SizeOfStatus:])
		}
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
func (p *Process) abandon(dead func()) {
	syscall.Kill(-p.PID, unix.SIGKILL) // nobody has reaped it, so the number is still its own
	go func() {
		p.watch()
		p.reap()
		dead()
	}()
}
