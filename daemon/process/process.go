package process

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"minissh/daemon/process/stage"
	"minissh/protocol"
)

// Spec says what to start. It is not changed, and not kept after Start.
type Spec struct {
	// Path is the program's file, or with Search its name.
	Path string
	// Search looks Path up in the PATH of Env if it has no slash, with the command's own rights.
	Search bool
	// Args is the argument vector with argv[0]. Bytes pass unchanged.
	Args []string
	// Env is the complete environment, "NAME=value" each; see Environment.
	Env []string
	// Dir is the directory to start in; "" is the daemon's own.
	Dir string
	// DirElse, if not "", is where to start when Dir cannot be entered with the command's rights.
	DirElse string
	// ReportDir gives the command a pipe as descriptor 3, on which a shell started with ShellLine
	// reports its last directory. It also sets PWD to Dir and OLDPWD to OldDir.
	ReportDir bool
	// OldDir is the directory before Dir; "" if there is none. Only used with ReportDir.
	OldDir string
	// Credential, if not nil, is who the command becomes. It needs root; Windows has none.
	Credential *Credential
	// PTY, if not nil, is a terminal for the command in place of pipes.
	PTY *PTY
	// Cgroup, if not "", is a cgroup of v2 in which the command begins, and which is its alone:
	// Stop ends all that is in it (CommandCgroup; Linux). It is for a command without a Credential.
	Cgroup string

	// Limits are what the command begins with, if any is of memory (Linux): those, and that of open
	// files. It is for a command without a Credential.
	Limits []stage.Limit

	// Arrival is what the account finds before the program. It needs a stage, as commands of other
	// accounts have one on Linux, and counts for nothing else.
	Arrival stage.Arrival
	// Begins, if not nil, learns a process id before the program can run there, and the name of its
	// terminal, "" without one. If that start fails it may learn another, and then there may be an
	// error nevertheless. It needs a stage too.
	Begins func(pid int, tty string)

	lines *lineShell // it is a shell that is told its lines; see StartLines
	// our end of its socket, set by the start; nil: it has none; see StartSocket
	socket **net.UnixConn
	own    bool // the program and its directory are the daemon's own: nobody else chose them
	lasts  bool // it outlives its Origin's session
}

// Credential names the ids a command runs with.
type Credential struct {
	UID, GID uint32
	Groups   []uint32 // supplementary groups; none if empty
	// Origin, if not nil, is what its processes descend from (Linux).
	Origin Origin
	// Root, if not "", is the directory that its processes are confined to (Linux): absolute, and
	// without . and .. in it. Others can write neither to it nor to any above it.
	Root string
}

// How says in which way a command ended.
type How string

const (
	Exited    How = "exited"    // it ended by itself: Result.Code
	Signalled How = "signalled" // a signal ended it: Result.Signal
	Unknown   How = "unknown"   // the system did not say: Result.Err
)

// Result says how a command ended and what it used.
type Result struct {
	How    How
	Code   int    // exit code as the system gives it; 0 unless How is Exited
	Signal string // name without SIG, "TERM"; a number in decimal if it has no name
	Number int    // the signal's number on this system; 0 unless How is Signalled
	Core   bool   // the kernel wrote a core file, or tried to
	Err    error  // why How is Unknown

	Duration time.Duration // from just before the start to the leader's end
	User     time.Duration // CPU time in the program, waited-for children included
	System   time.Duration // CPU time in the kernel, likewise
	// MaxRSS is the largest resident set of the leader or one of its waited-for children, in bytes.
	// 0: unknown, since a child begins with its parent's pages.
	MaxRSS int64

	// Dir and OldDir are the directories a shell reported at its end (bytes, as the shell wrote
	// them). Nil Dir: unchanged; nil OldDir: none.
	Dir, OldDir []byte
}

// Exit is a Result as EXIT tells it (EX6).
func (r Result) Exit() *protocol.Exit {
	exit := &protocol.Exit{How: string(r.How), Dir: r.Dir, OldDir: r.OldDir,
		MaxRSS: r.MaxRSS / 1024, Duration: r.Duration.Milliseconds(),
		UserTime: r.User.Milliseconds(), SysTime: r.System.Milliseconds()}
	switch r.How {
	case Exited:
		exit.Code = &r.Code
	case Signalled:
		exit.Signal, exit.Core = r.Signal, r.Core
	}
	return exit
}

// Process is a started command. Its methods may be called from any goroutine.
type Process struct {
	// PID is the leader's process id, and on Unix the id of its process group and session as well.
	PID int
	// Stdin, Stdout and Stderr are our ends of the command's pipes. Close interrupts a call under
	// way. A background child may hold Stdout and Stderr open long after the leader's end.
	Stdin          Input
	Stdout, Stderr Output
	// TTY is the name of the command's terminal; "" if it has none. With one, Stdin types, Stdout
	// is everything that is shown, and Stderr is empty.
	TTY string

	tty     *terminal // nil without a terminal
	cgroup  string    // of v2, which is its alone; "": it has none
	started time.Time
	done    chan struct{}
	result  Result     // written before done is closed, constant after
	report  *os.File   // owned by the goroutine in watch
	lines   []*os.File // our ends of the pipes of a shell that is told its lines

	// mu guards the leader's number: a signal needs it for reading, reaping for writing.
	mu       sync.RWMutex
	exited   bool
	released bool // Close was called
	reaped   bool // the number may belong to another process
	orphaned bool // and nobody keeps the number, but for members of its session that live

	sys system
}

// Input is what a command reads from. That of a terminal may be a mux.TryWriter too.
type Input interface {
	io.WriteCloser
	Loud() // says that much will be written
}

// Output is what a command writes to.
type Output interface {
	io.ReadCloser
	Loud() // says that much is expected; the goroutine that reads calls it
}

// Survivor is a process that could not be stopped, or whose death could not be confirmed.
type Survivor struct {
	PID int
	// Comm is the kernel's short name of it. Any process may choose its own: quote it before it
	// reaches a terminal, as String does.
	Comm string
}

// String returns the id and the quoted name: 4711 "sleep".
func (s Survivor) String() string { return fmt.Sprintf("%d %q", s.PID, s.Comm) }

var (
	// ErrFinished means that there is nothing left to signal.
	ErrFinished = errors.New("the command has ended")
	// ErrUnknownSignal means a name that is not in the allow list.
	ErrUnknownSignal = errors.New("unknown signal")
	// ErrTasks means that no more processes may be started.
	ErrTasks = errors.New("this account runs as many processes as it may (ulimit -u, or pids.max " +
		"of its cgroup)")
	// ErrSurvivors means that not everything could be stopped.
	ErrSurvivors = errors.New("not everything could be stopped")
)

// StartError says what kept a command from starting.
type StartError struct {
	Op   string // "chdir", "exec" or "start" (neither, or it is not known which)
	Path string // the directory or program
	Err  error
}

func (e *StartError) Error() string { return fmt.Sprintf("%s %q: %v", e.Op, e.Path, e.Err) }
func (e *StartError) Unwrap() error { return e.Err }

// Done is closed when the leader has ended and Result is known. What it left running may live on,
// and its output may not be drained yet.
func (p *Process) Done() <-chan struct{} { return p.done }

// Result waits for Done and returns how the leader ended.
func (p *Process) Result() Result {
	<-p.done
	return p.result
}

// Close closes the pipes and gives the command's number back to the system: no signal can be sent
// any more. A leader that still runs is not stopped; it is reaped when it ends. Close never waits
// for it, and may be called twice.
func (p *Process) Close() error {
	p.Stdin.Close()
	p.Stdout.Close()
	p.Stderr.Close()
	if p.tty != nil {
		p.tty.Close()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.released = true
	p.reapLocked()
	return nil
}

// watch is the one goroutine of a command.
func (p *Process) watch() {
	p.await()
	p.result.Duration = time.Since(p.started)
	if p.report != nil {
		p.result.Dir, p.result.OldDir = readReport(p.report)
		p.report.Close()
	}
	p.mu.Lock()
	p.exited = true
	if roll != nil {
		roll.Ends(p.PID)
	}
	p.reapLocked()
	p.mu.Unlock()
	close(p.done)
}

// reapLocked reaps a leader that has ended and that nobody needs any more.
func (p *Process) reapLocked() {
	if p.exited && !p.reaped && (p.released || !holdsEnded) {
		p.reap()
		p.reaped = true
	}
}

// Roll notes the commands that run, outside of this process: whoever finds it dead knows then which
// commands it has left. A command is noted before it can have been reaped, and no longer when it
// has ended.
type Roll interface {
	Begins(pid int, terminal bool)
	Ends(pid int)
}

// roll is set before the first Start; nil: nobody notes.
var roll Roll

// UseRoll makes Start note all commands; helpers, which end with their daemon or outlive it, are
// not noted. It is called before the first Start.
func UseRoll(r Roll) { roll = r }

// noted notes a command that has been started or is about to be.
func (s *Spec) noted(pid int) {
	if roll != nil && !s.own {
		roll.Begins(pid, s.PTY != nil)
	}
}

// PTY asks for a pseudo-terminal as the command's descriptors 0, 1 and 2 and as its controlling
// terminal. Both fields have been checked (protocol.PTY.Check). TERM is the caller's to put into
// Spec.Env; SSH_TTY is set by Start.
type PTY struct {
	Size  protocol.Size
	Modes map[string]int64 // by the names of TE1; others keep the kernel's default
}

// ErrNoPTY is wrapped by Start if a Spec without PTY may work.
var ErrNoPTY = errors.New("no pseudo-terminal can be had here")

// noOutput is the Stderr of a command on a terminal: all its output is one stream.
type noOutput struct{}

func (noOutput) Read([]byte) (int, error) { return 0, io.EOF }
func (noOutput) Close() error             { return nil }
func (noOutput) Loud()                    {}
