//go:build linux || darwin

package process

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"time"
)

// Start starts a command as the leader of a new kernel session with pipes as
// its standard streams. Errors are *StartError. The caller must Close the
// Process, whatever else happens.
func Start(spec Spec) (*Process, error) {
	p, err := startOnce(spec)
	if err != nil && spec.DirElse != "" && missing(err) {
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

// startOnce is Start; an error that is not a *StartError is the kernel's, who does not say to which of the steps it belongs.
func startOnce(spec Spec) (*Process, error) {
	pipes, err := makePipes(spec.ReportDir)
	if err != nil {
		return nil, &StartError{"start", spec.Path, err}
	}
	attr := &syscall.ProcAttr{
		Dir:   spec.Dir,
		Env:   spec.environment(),
		Files: pipes.theirs(),
		Sys:   &syscall.SysProcAttr{Setsid: true},
	}
	if c := spec.Credential; c != nil {
		attr.Sys.Credential = &syscall.Credential{Uid: c.UID, Gid: c.GID, Groups: c.Groups}
	}
	p := &Process{done: make(chan struct{})}
	p.sys.prepare(attr.Sys)
	p.started = time.Now()
	p.PID, err = syscall.ForkExec(spec.Path, spec.Args, attr)
	pipes.closeTheirs()
	if err != nil {
		pipes.closeOurs()
		return nil, err
	}
	p.Stdin, p.Stdout, p.Stderr = input{pipes.ours[0]}, newOutput(pipes.ours[1]), newOutput(pipes.ours[2])
	if spec.ReportDir {
		p.report = pipes.ours[3]
	}
	go p.watch()
	return p, nil
}

// environment is Env, with the directories a shell would believe in.
func (s Spec) environment() []string {
	if !s.ReportDir {
		return s.Env
	}
	env := make([]string, 0, len(s.Env)+2)
	for _, pair := range s.Env {
		if !strings.HasPrefix(pair, "PWD=") && !strings.HasPrefix(pair, "OLDPWD=") {
			env = append(env, pair)
		}
	}
	if s.Dir != "" {
		env = append(env, "PWD="+s.Dir)
	}
	if s.OldDir != "" {
		env = append(env, "OLDPWD="+s.OldDir)
	}
	return env
}

// missing says whether an errno is of those that tell that a directory cannot be entered, or a program not be run.
func missing(err error) bool {
	switch err {
	case syscall.EACCES, syscall.ENOENT, syscall.ENOTDIR, syscall.ELOOP, syscall.ENAMETOOLONG, syscall.EIO, syscall.ESTALE:
		return true
	}
	return false
}

// explain finds out which of the steps of a failed start the errno belongs to:
// the kernel does not say.
func (s Spec) explain(err error) error {
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return &StartError{"start", s.Path, err}
	}
	if s.Credential != nil && missing(err) {
		return s.explainAs(err)
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

// pipeSet is what connects us with one command.
type pipeSet struct {
	child []int      // the command's ends, by its descriptor numbers; blocking
	ours  []*os.File // our ends, in the poller
}

// makePipes makes the three standard pipes, and one for the report if asked.
func makePipes(report bool) (*pipeSet, error) {
	n := 3
	if report {
		n = 4
	}
	set := &pipeSet{}
	for i := range n {
		r, w, err := pipe()
		if err != nil {
			set.closeTheirs()
			set.closeOurs()
			return nil, err
		}
		theirs, ours := w, r
		if i == 0 {
			theirs, ours = r, w
		}
		// NewFile takes a descriptor into the poller only if it is
		// non-blocking already. The two ends of a pipe have separate flags.
		syscall.SetNonblock(ours, true)
		set.child = append(set.child, theirs)
		set.ours = append(set.ours, os.NewFile(uintptr(ours), "pipe"))
	}
	return set, nil
}

func (s *pipeSet) theirs() []uintptr {
	fds := make([]uintptr, len(s.child))
	for i, fd := range s.child {
		fds[i] = uintptr(fd)
	}
	return fds
}

func (s *pipeSet) closeTheirs() {
	for _, fd := range s.child {
		syscall.Close(fd)
	}
	s.child = nil
}

func (s *pipeSet) closeOurs() {
	for _, f := range s.ours {
		f.Close()
	}
}
