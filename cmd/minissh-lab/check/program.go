package check

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"minissh/cmd/minissh-lab/check/cause"
	"minissh/cmd/minissh-lab/marked"
	"minissh/cmd/minissh-lab/speak"
	"minissh/daemon/process"
)

// maxOutput is how much of each output stream is kept; the rest is read and
// forgotten.
const maxOutput = 1 << 20

// program is the learner's program: the leader of a session of its own, so that
// its children end with it. On Linux those that leave the session are known by a mark.
type program struct {
	p       *process.Process
	mark    string   // in its environment, and in that of all it starts
	words   []string // its command line, files with their whole paths
	output  *stream
	errors  *stream
	readers sync.WaitGroup
}

// startProgram runs argv in dir. Words that name a file from where the lab was
// started become absolute, since the program runs elsewhere.
func startProgram(argv []string, dir string) (*program, error) {
	env := append(os.Environ(), "PYTHONUNBUFFERED=1", "PYTHONIOENCODING=utf-8", "PYTHONUTF8=1",
		"PYTHONDONTWRITEBYTECODE=1")
	mark := marked.New()
	env = append(env, mark)
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	path, err := process.LookPath(argv[0], here, env)
	if err != nil {
		return nil, notStarted(argv[0], err)
	}
	args := append([]string(nil), argv...)
	for i, a := range args[1:] {
		if info, err := os.Stat(a); err == nil && info.Mode().IsRegular() && !filepath.IsAbs(a) {
			args[i+1] = filepath.Join(here, a)
		}
	}
	p, err := process.Start(process.Spec{Path: path, Args: args, Env: env, Dir: dir})
	if err != nil {
		return nil, notStarted(argv[0], err)
	}
	boundMemory(p.PID)
	prog := &program{p: p, mark: mark, words: args, output: newStream(), errors: newStream()}
	prog.readers.Go(func() { prog.output.fill(p.Stdout) })
	prog.readers.Go(func() { prog.errors.fill(p.Stderr) })
	return prog, nil
}

func notStarted(name string, err error) error {
	q := speak.Quote([]byte(name))
	if errors.Is(err, os.ErrNotExist) {
		return &Trouble{Text: tx("找不到程序 %s", "there is no program %s", q),
			Hint: "minissh-lab check 6 -- python3 my_server.py"}
	}
	return &Trouble{Text: tx("启动不了 %s：%s", "cannot start %s: %s", q, speak.Clean(err.Error()))}
}

// mine says whether a file of a traceback is the student's: one of the command line, or beside it.
func (p *program) mine(file string) bool {
	return slices.ContainsFunc(p.words, func(w string) bool {
		return filepath.IsAbs(w) && filepath.Dir(w) == filepath.Dir(file) &&
			filepath.Ext(w) == filepath.Ext(file)
	})
}

// typeLine types one line at the program's prompt.
func (p *program) typeLine(line string) {
	p.p.Stdin.Write([]byte(line + "\n")) // a program that has ended is seen elsewhere
}

// ended reports whether the program has ended.
func (p *program) ended() bool {
	select {
	case <-p.p.Done():
		return true
	default:
		return false
	}
}

// away is a failure if the program has ended well and what it started goes on without it.
func (a *attack) away() *Failure {
	if a.prog == nil || !a.prog.ended() || a.prog.p.Result().Code != 0 {
		return nil
	}
	pids := marked.Find(a.prog.mark)
	if len(pids) == 0 {
		return nil
	}
	f := &Failure{NotUp: true, Want: tx("程序在前台运行", "the program runs in the foreground"),
		Got: tx("程序结束了，它启动的进程 %d 在后台继续（检查完已结束它）",
			"the program ended, and process %d that it started goes on in the background (it has "+
				"been ended now)", pids[0])}
	f.proves(cause.Background)
	return f
}

// settle gives an ending program a moment to say its last words, and its streams
// the time to be read.
func (p *program) settle() {
	t := time.NewTimer(300 * time.Millisecond)
	defer t.Stop()
	for !(p.output.closed() && p.errors.closed()) {
		select {
		case <-p.errors.changed():
		case <-p.output.changed():
		case <-t.C:
			return
		}
	}
}

// end ends the program and its children and waits until they are gone.
func (p *program) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	p.p.Stop(ctx, 0) // what survives a kill is not ours to mend
	marked.End(ctx, p.mark)
	p.p.Close()
	p.readers.Wait()
}

// stream collects what a program prints, up to maxOutput.
type stream struct {
	mu   sync.Mutex
	data []byte        // owned by mu
	eof  bool          // owned by mu
	wake chan struct{} // owned by mu: closed and replaced at every change
}

func newStream() *stream { return &stream{wake: make(chan struct{})} }

// fill reads r to its end.
func (s *stream) fill(r io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		s.mu.Lock()
		s.data = append(s.data, buf[:min(n, maxOutput-len(s.data))]...)
		s.eof = err != nil
		close(s.wake)
		s.wake = make(chan struct{})
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// changed is closed at the next change.
func (s *stream) changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wake
}

func (s *stream) closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.eof
}

// size is how much has been kept so far, in bytes.
func (s *stream) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.data)
}

// from is what came after the first n bytes.
func (s *stream) from(n int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.data[min(n, len(s.data)):])
}

// lastLine is the last line that is not empty.
func (s *stream) lastLine() string {
	text := strings.TrimRight(s.from(0), "\r\n\t ")
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// endProgram ends the case's program, if there is one.
func (a *attack) endProgram() {
	if a.prog != nil {
		a.prog.end()
		a.prog = nil
	}
}
