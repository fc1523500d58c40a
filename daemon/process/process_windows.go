package process

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"minissh/protocol"
)

// Run under Wine 8 (what minissh-lab check starts, and ends), never on Windows.

// holdsEnded: the process handle stays open until Close.
const holdsEnded = true

// Prepare has nothing to do: handles are not inherited unless named.
func Prepare() error { return nil }

// ResetSignals has nothing to do: there are no signal dispositions.
func ResetSignals() {}

// system is what Windows adds to a Process: two handles, closed by reap.
type system struct {
	process windows.Handle
	job     windows.Handle // kills everything in it when closed
}

// StartContext is Start: nothing in it takes long.
func StartContext(_ context.Context, spec Spec) (*Process, error) { return Start(spec) }

// Turn has nothing to wait for: there is one account.
func Turn(context.Context, Account) (end func(), err error) { return func() {}, nil }

// Start starts a command in a job object of its own, with pipes as its standard streams. Errors are
// *StartError. The caller must Close the Process. What the command starts before it is put into the
// job is not in it.
func Start(spec Spec) (*Process, error) {
	fail := func(err error) (*Process, error) { return nil, &StartError{"start", spec.Path, err} }
	if spec.PTY != nil {
		return fail(ErrNoPTY)
	}
	if spec.Credential != nil || spec.ReportDir {
		return fail(windows.ERROR_NOT_SUPPORTED)
	}
	if spec.Search {
		path, err := LookPath(spec.Path, spec.Dir, spec.Env)
		if err != nil {
			return nil, err
		}
		spec.Path = path
	}
	job, err := newJob()
	if err != nil {
		return fail(err)
	}
	var files [6]*os.File // child's and our end of 0, 1, 2
	undo := func() {
		windows.CloseHandle(job)
		for _, f := range files {
			if f != nil {
				f.Close()
			}
		}
	}
	for i := range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			undo()
			return fail(err)
		}
		files[2*i], files[2*i+1] = w, r
	}
	files[0], files[1] = files[1], files[0] // stdin flows the other way
	p := &Process{done: make(chan struct{}), started: time.Now()}
	pid, handle, err := syscall.StartProcess(spec.Path, spec.Args, &syscall.ProcAttr{
		Dir: spec.Dir, Env: spec.Env,
		Files: []uintptr{files[0].Fd(), files[2].Fd(), files[4].Fd()},
		Sys: &syscall.SysProcAttr{
			CmdLine:       commandLine(spec),
			CreationFlags: windows.CREATE_NEW_PROCESS_GROUP, // so that Ctrl-Break reaches it alone
		},
	})
	if err != nil {
		undo()
		if info, statErr := os.Stat(spec.Dir); spec.Dir != "" && (statErr != nil || !info.IsDir()) {
			return nil, &StartError{"chdir", spec.Dir, err}
		}
		return nil, &StartError{"exec", spec.Path, err}
	}
	p.PID, p.sys = pid, system{windows.Handle(handle), job}
	if err := windows.AssignProcessToJobObject(job, p.sys.process); err != nil {
		// Without its job it could not be stopped for certain.
		windows.TerminateProcess(p.sys.process, 1)
		windows.CloseHandle(p.sys.process)
		undo()
		return fail(err)
	}
	files[0].Close()
	files[2].Close()
	files[4].Close()
	p.Stdin, p.Stdout, p.Stderr = pipe{files[1]}, pipe{files[3]}, pipe{files[5]}
	go p.watch()
	return p, nil
}

// newJob makes a job object that kills what is in it when this handle is closed, or the daemon
// dies.
func newJob() (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, err
	}
	var info windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err != nil {
		windows.CloseHandle(job)
		return 0, err
	}
	return job, nil
}

// await returns when the leader has ended and ends the rest of its job.
func (p *Process) await() {
	r := &p.result
	if _, err := windows.WaitForSingleObject(p.sys.process, windows.INFINITE); err != nil {
		r.How, r.Err = Unknown, err
		return
	}
	windows.TerminateJobObject(p.sys.job, 1)
	var code uint32
	if err := windows.GetExitCodeProcess(p.sys.process, &code); err != nil {
		r.How, r.Err = Unknown, err
		return
	}
	r.How, r.Code = Exited, int(code)
	var made, ended, kernel, user windows.Filetime
	if windows.GetProcessTimes(p.sys.process, &made, &ended, &kernel, &user) == nil {
		r.User, r.System = ticks(user), ticks(kernel)
	}
}

// ticks reads a Filetime that is a length of time, in units of 100 ns.
func ticks(t windows.Filetime) time.Duration {
	return time.Duration(uint64(t.HighDateTime)<<32|uint64(t.LowDateTime)) * 100
}

func (p *Process) reap() {
	windows.CloseHandle(p.sys.process)
	windows.CloseHandle(p.sys.job)
}

// KnownSignal says whether Signal takes a name.
func KnownSignal(name string) bool {
	return name == "HUP" || name == "INT" || name == "KILL" || name == "TERM"
}

// pipe is our end of one of a command's pipes.
type pipe struct{ *os.File }

// Loud changes nothing here.
func (pipe) Loud() {}

// signalGroup: INT is Ctrl-Break for the command's console group, the rest ends the job.
func (p *Process) signalGroup(name string) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.reaped || p.released || p.exited {
		return ErrFinished
	}
	if name == "INT" {
		return windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(p.PID))
	}
	return windows.TerminateJobObject(p.sys.job, 1)
}

// Stop closes stdin, sends Ctrl-Break, and after grace ends the job.
func (p *Process) Stop(ctx context.Context, grace time.Duration) ([]Survivor, error) {
	p.Stdin.Close()
	if grace > 0 && p.signalGroup("INT") == nil {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-p.done:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return p.Kill(ctx)
}

// Kill ends the job and waits for the leader's end, at most about five seconds.
func (p *Process) Kill(ctx context.Context) ([]Survivor, error) {
	if err := p.signalGroup("KILL"); err != nil && err != ErrFinished {
		left := []Survivor{{PID: p.PID}}
		return left, survivors(left, err)
	}
	ctx, cancel := context.WithTimeout(ctx, confirmTime)
	defer cancel()
	select {
	case <-p.done:
		return nil, nil
	case <-ctx.Done():
		left := []Survivor{{PID: p.PID}}
		return left, survivors(left, ctx.Err())
	}
}

func readAvailable(int, int) []byte { return nil }

const rootDir = `C:\`

// CurrentAccount is the account that the daemon itself runs as. UID is never 0, since 0 means root
// elsewhere; the shell is %ComSpec%.
func CurrentAccount() (Account, error) {
	u, err := user.Current()
	if err != nil {
		return Account{}, err
	}
	const none = ^uint32(0)
	return Account{Name: u.Username, UID: none, GID: none, Home: u.HomeDir, Shell: comSpec()}, nil
}

func comSpec() string {
	if s := os.Getenv("ComSpec"); s != "" {
		return s
	}
	return `C:\Windows\System32\cmd.exe`
}

// commandLine is what cmd.exe is given for a ShellCommand: /d leaves out the registry's AutoRun,
// and with /s it takes off the first and the last quote and nothing else, so the command needs no
// quoting. For another program it is "": the usual quoting of Args.
func commandLine(spec Spec) string {
	if spec.Path != comSpec() || len(spec.Args) != 3 || spec.Args[1] != "-c" {
		return ""
	}
	return `"` + spec.Path + `" /d /s /c "` + spec.Args[2] + `"`
}

func usableDir(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

func runnable(file string) error {
	info, err := os.Stat(file)
	if err == nil && info.IsDir() { // the Store's alias of a program is not regular
		return fs.ErrPermission
	}
	return err
}

// programNames are the files that a program's name may mean. Batch files are left out: what runs
// them takes arguments apart again.
func programNames(file string) []string {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".exe", ".com":
		return []string{file}
	}
	return []string{file + ".exe", file + ".com"}
}

// isPathKey says whether an environment's variable is the path: it is mostly written Path.
func isPathKey(key string) bool { return strings.EqualFold(key, "PATH") }

func baseEnvironment(a Account, _ string) []string {
	return append(os.Environ(), "USERNAME="+a.Name)
}

// LookupAccount does not work on Windows: a daemon serves its own account.
func LookupAccount(context.Context, string) (Account, error) {
	return Account{}, errors.New("other accounts are not served on Windows")
}

// GroupNames does not work on Windows, like LookupAccount.
func GroupNames(context.Context, Account) ([]string, error) {
	return nil, errors.New("other accounts are not served on Windows")
}

// Accounts does not work on Windows, like LookupAccount.
func Accounts(context.Context) ([]Account, error) {
	return nil, errors.New("other accounts are not served on Windows")
}

// ClosedError is why the system keeps an account from logging in.
type ClosedError struct{ Why, Advice string }

func (e *ClosedError) Error() string { return e.Why }

// Hint is what an administrator can type.
func (e *ClosedError) Hint() string { return e.Advice }

// Closed says that it does not know: no other accounts are served on Windows.
func Closed(context.Context, Account, bool) error { return errors.ErrUnsupported }

// terminal does not exist on Windows.
type terminal struct{}

func (*terminal) Close() error { return nil }

// Resize has nothing to do.
func (p *Process) Resize(protocol.Size) error { return ErrNoPTY }

// Drain has nothing to do.
func (p *Process) Drain() {}

// HangUp is Stop.
func (p *Process) HangUp(ctx context.Context, grace time.Duration) ([]Survivor, error) {
	return p.Stop(ctx, grace)
}
