package tracer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxCalls  = 100_000
	tryLimit  = 10 * time.Second
	endOfPipe = "end\n" // no line of strace's
)

// options make strace follow every child, stop it only at these calls, and write no bytes of
// theirs.
var options = []string{"-f", "--seccomp-bpf", "-qq", "-ttt", "-T", "-yy", "-s", "0", "-e",
	"signal=none", "-e", "trace=sendto,sendmsg,write,writev,sendfile,recvfrom,recvmsg,read,readv"}

// Tracer traces one program.
type Tracer struct {
	strace, dir, pipe string
	file              *os.File
	done              chan struct{}
	calls             []Call // owned by the reader until done is closed
}

// New is ready for a program. The error says that strace is not there, or may not trace.
func New(ctx context.Context) (*Tracer, error) {
	path, err := exec.LookPath("strace")
	if err != nil {
		return nil, errors.New("strace is not installed")
	}
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	try := exec.CommandContext(ctx, path, append(append([]string{"-o", "/dev/null"}, options...),
		path, "-V")...)
	if err := try.Run(); err != nil {
		return nil, fmt.Errorf("strace may not trace here, or is too old (%w)", err)
	}
	t := &Tracer{strace: path, done: make(chan struct{})}
	if t.dir, err = os.MkdirTemp("", "minissh-lab-"); err != nil {
		return nil, err
	}
	t.pipe = filepath.Join(t.dir, "calls")
	if err = unix.Mkfifo(t.pipe, 0o600); err == nil {
		// For both directions: opening waits for nobody, and the end is what Calls writes.
		t.file, err = os.OpenFile(t.pipe, os.O_RDWR, 0)
	}
	if err != nil {
		os.RemoveAll(t.dir)
		return nil, err
	}
	go t.read()
	return t, nil
}

// Around is the command line that runs argv under strace.
func (t *Tracer) Around(argv []string) []string {
	all := append([]string{t.strace, "-o", t.pipe}, options...)
	return append(append(all, "--"), argv...)
}

// read takes strace's lines until the end: also those that are too many, or strace would wait.
func (t *Tracer) read() {
	defer close(t.done)
	var p parser
	lines := bufio.NewReaderSize(t.file, 16<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			continue // no call that we look for is so long: its rest completes none either
		}
		if err != nil || string(line) == endOfPipe {
			return
		}
		if c, ok := p.line(string(line[:len(line)-1])); ok && len(t.calls) < maxCalls {
			t.calls = append(t.calls, c)
		}
	}
}

// Calls ends the tracing, once the program and strace have ended, and returns what was seen.
func (t *Tracer) Calls() []Call {
	if _, err := t.file.WriteString(endOfPipe); err != nil {
		t.file.Close()
	}
	<-t.done
	t.file.Close()
	os.RemoveAll(t.dir)
	return t.calls
}
