//go:build linux || darwin

package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"minissh/daemon/process/stage"
)

// Start is StartContext for a command whose start nobody cancels.
func Start(spec Spec) (*Process, error) { return StartContext(context.Background(), spec) }

// StartContext starts a command as the leader of a new kernel session with pipes, or a terminal, as
// its standard streams. Errors are *StartError. The caller must Close the Process, whatever else
// happens. The end of ctx gives up a start that takes long; afterwards it has no meaning.
//
// A command with a Credential is started through a stage (process/stage) if the system has one, so
// that a path that hangs delays only this caller, for at most StartTime. One of the daemon's own
// account is started directly, which is quicker, after a look at its paths. If the account has an
// Origin or a Root, or the kernel audits, every process of it begins as a stage, helpers too: what
// it has for its life it has from there.
func StartContext(ctx context.Context, spec Spec) (*Process, error) {
	if who := spec.Credential; hasStages && who != nil &&
		(!spec.own || who.Origin != nil || who.Root != "" || audits()) {
		return startStaged(ctx, spec)
	}
	if who := spec.Credential; who != nil && who.Root != "" {
		return nil, &StartError{"chroot", who.Root, errors.ErrUnsupported}
	}
	if !spec.own {
		path, err := spec.look(ctx)
		if err != nil {
			return nil, err
		}
		spec.Path = path
	}
	if err := spec.limit(); err != nil {
		return nil, err
	}
	p, err := startOnce(spec)
	if err != nil && spec.DirElse != "" && stage.Missing(err) {
		spec.Dir, spec.DirElse = spec.DirElse, ""
		p, err = startOnce(spec)
	}
	if err == nil {
		return p, nil
	}
	var known *StartError
	if errors.As(err, &known) {
		return nil, err
	}
	return nil, spec.explain(err)
}

// look finds the program, and checks that the paths answer: this wait holds a thread, not a
// processor, as a fork would.
func (s Spec) look(ctx context.Context) (string, error) {
	ended, err := beginStart(uint32(os.Getuid()))
	if err != nil {
		return "", &StartError{"start", s.Path, err}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, StartTime, errSilent)
	defer cancel()
	type sight struct {
		path string
		err  error
	}
	seen := make(chan sight, 1)
	go func() {
		defer ended()
		saw := sight{path: s.Path}
		if s.Search {
			saw.path, saw.err = LookPath(s.Path, s.Dir, s.Env)
		}
		os.Stat(s.Dir)
		os.Stat(saw.path)
		seen <- saw
	}()
	select {
	case saw := <-seen:
		return saw.path, saw.err
	case <-ctx.Done():
		if err = context.Cause(ctx); err != errSilent {
			err = errUnwanted
		}
		return "", &StartError{"start", s.Path, err}
	}
}

// startOnce forks and executes at once; an error that is not a *StartError is the kernel's, which
// does not say which of the steps failed.
func startOnce(spec Spec) (*Process, error) {
	pipes, err := makePipes(spec)
	if err != nil {
		return nil, &StartError{"start", spec.Path, err}
	}
	if pipes.tty != nil {
		spec.Env = append(slices.Clip(spec.Env), "SSH_TTY="+pipes.tty.name)
	}
	attr := &syscall.ProcAttr{
		Dir:   spec.Dir,
		Env:   spec.environment(),
		Files: pipes.theirs(),
		Sys:   &syscall.SysProcAttr{Setsid: true, Setctty: pipes.tty != nil, Ctty: pipes.ctty},
	}
	if c := spec.Credential; c != nil {
		attr.Sys.Credential = &syscall.Credential{Uid: c.UID, Gid: c.GID, Groups: c.Groups}
	}
	p := &Process{done: make(chan struct{}), cgroup: spec.Cgroup}
	p.sys.prepare(attr.Sys)
	placed, left, err := place(spec, attr.Sys)
	if err != nil {
		pipes.closeTheirs()
		pipes.closeOurs()
		return nil, &StartError{"start", spec.Path, err}
	}
	p.started = time.Now()
	withKeyring(spec.Credential,
		func() { p.PID, err = syscall.ForkExec(spec.Path, spec.Args, attr) })
	pipes.closeTheirs()
	placed()
	if err != nil {
		if left != nil {
			left()
		}
		pipes.closeOurs()
		return nil, err
	}
	spec.noted(p.PID)
	unspare(p.PID)
	pipes.join(p)
	go p.watch()
	if left != nil {
		go func() { <-p.done; left() }()
	}
	return p, nil
}

// join gives a command our ends of its pipes or terminal.
func (s *pipeSet) join(p *Process) {
	if t := s.tty; t != nil {
		p.tty, p.TTY = t, t.name
	}
	if s.lines {
		p.lines = s.ours
	} else if t := s.tty; t != nil {
		p.Stdin, p.Stdout, p.Stderr = typing{t}, shown{t}, noOutput{}
	} else {
		p.Stdin, p.Stdout, p.Stderr = input{s.ours[0]}, newOutput(s.ours[1]), newOutput(s.ours[2])
	}
	p.report = s.report
}

// environment is Env, with the directories that a shell believes.
func (s Spec) environment() []string {
	env := s.withoutPWD()
	if s.ReportDir && s.Dir != "" {
		env = append(env, "PWD="+s.Dir)
	}
	return env
}

// withoutPWD is Env with the directory before, but without the one where the command starts.
func (s Spec) withoutPWD() []string {
	if !s.ReportDir {
		return s.Env
	}
	env := make([]string, 0, len(s.Env)+2)
	for _, pair := range s.Env {
		if !strings.HasPrefix(pair, "PWD=") && !strings.HasPrefix(pair, "OLDPWD=") {
			env = append(env, pair)
		}
	}
	if s.OldDir != "" {
		env = append(env, "OLDPWD="+s.OldDir)
	}
	return env
}

// explain finds the step of a failed start that the errno belongs to: the kernel does not say.
func (s Spec) explain(err error) error {
	if errors.Is(err, syscall.EAGAIN) {
		return &StartError{"start", s.Path, fmt.Errorf("%w: %w", ErrTasks, err)}
	}
	if noRoom(err) {
		return &StartError{"start", s.Path, err}
	}
	if s.Dir != "" {
		info, statErr := os.Stat(s.Dir)
		switch {
		case statErr != nil:
			return &StartError{"chdir", s.Dir, errors.Unwrap(statErr)}
		case !info.IsDir():
			return &StartError{"chdir", s.Dir, syscall.ENOTDIR}
		case errors.Is(err, syscall.EACCES) && syscall.Access(s.Path, 1 /* X_OK */) == nil:
			return &StartError{"chdir", s.Dir, err}
		}
	}
	return &StartError{"exec", s.Path, err}
}

// noRoom says whether an errno concerns the whole machine or account, not one program.
func noRoom(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOMEM) ||
		errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// pipeSet is what connects us with one command.
type pipeSet struct {
	child  []int      // the command's ends, by its descriptor numbers; blocking
	pipes  []int      // those of them that are pipes
	opened []*os.File // the files of the others
	ours   []*os.File // our ends, in the poller; none of a terminal
	tty    *terminal
	ctty   int           // the command's descriptor for its terminal
	report *os.File      // our end of descriptor 3, one of ours
	socket *net.UnixConn // our end of a helper's socket; nil: there is none
	lines  bool          // all of ours are a Lines'
}

// makePipes makes the three standard pipes, or a terminal, and one for the report if asked.
func makePipes(spec Spec) (*pipeSet, error) {
	set := &pipeSet{}
	if err := set.make(spec); err != nil {
		set.closeTheirs()
		set.closeOurs()
		return nil, err
	}
	return set, nil
}

func (s *pipeSet) make(spec Spec) error {
	if spec.PTY != nil {
		t, theirs, err := openTerminal(spec.PTY, spec.Credential)
		if err != nil {
			return err
		}
		fd := int(theirs.Fd())
		s.tty, s.opened, s.child = t, []*os.File{theirs}, []int{fd, fd, fd}
	}
	if spec.lines != nil {
		return s.makeLines(spec)
	}
	for len(s.child) < 3 {
		if err := s.add(len(s.child) == 0, spec.Credential); err != nil {
			return err
		}
	}
	if spec.socket != nil {
		return s.addSocket(spec)
	}
	if spec.ReportDir {
		if err := s.add(false, spec.Credential); err != nil {
			return err
		}
		s.report = s.ours[len(s.ours)-1]
	}
	return nil
}

// makeLines makes the pipes of a shell that is told its lines, whose terminal is made.
func (s *pipeSet) makeLines(spec Spec) error {
	terminal := s.child
	s.child, s.lines = []int{-1}, true
	for _, reads := range []bool{false, false, true, false, true} { // 1 to 5
		if err := s.add(reads, spec.Credential); err != nil {
			return err
		}
	}
	if spec.lines.typed {
		t := terminal[0]
		s.child = []int{t, t, t, s.child[3], s.child[4], s.child[5], s.child[1], s.child[2]}
		return nil
	}
	s.child[0] = s.child[5]
	if terminal != nil {
		s.ctty = 5
		if s.child[5] = terminal[0]; spec.lines.onTTY {
			s.ctty = 0
			s.child[0], s.child[5] = s.child[5], s.child[0]
		}
	}
	return nil
}

// add makes a pipe for the command's next descriptor, which it reads from or writes to. The pipe
// belongs to the account: otherwise `echo >/dev/stderr`, which opens it again, would be refused.
func (s *pipeSet) add(reads bool, owner *Credential) error {
	r, w, err := pipe()
	if err != nil {
		return err
	}
	theirs, ours := w, r
	if reads {
		theirs, ours = r, w
	}
	if owner != nil {
		// if pipes have no owner, nobody checks it
		syscall.Fchown(theirs, int(owner.UID), int(owner.GID))
	}
	// NewFile takes only a non-blocking descriptor into the poller; a pipe's ends have separate
	// flags.
	syscall.SetNonblock(ours, true)
	s.child, s.pipes = append(s.child, theirs), append(s.pipes, theirs)
	s.ours = append(s.ours, os.NewFile(uintptr(ours), "pipe"))
	return nil
}

func (s *pipeSet) theirs() []uintptr {
	fds := make([]uintptr, len(s.child))
	for i, fd := range s.child {
		fds[i] = uintptr(fd)
	}
	return fds
}

func (s *pipeSet) closeTheirs() {
	for _, fd := range s.pipes {
		syscall.Close(fd)
	}
	for _, f := range s.opened {
		f.Close()
	}
	s.child, s.pipes, s.opened = nil, nil, nil
}

func (s *pipeSet) closeOurs() {
	for _, f := range s.ours {
		f.Close()
	}
	if s.tty != nil {
		s.tty.Close()
	}
	if s.socket != nil {
		s.socket.Close()
	}
}

// readAvailable reads what a non-blocking descriptor has now, at most max bytes.
func readAvailable(fd, max int) []byte {
	data := make([]byte, 0, 1024)
	for len(data) < max {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := syscall.Read(fd, data[len(data):cap(data)])
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 || err != nil {
			break
		}
		data = data[:len(data)+n]
	}
	return data
}
