package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"minissh/cmd/minissh-lab/marked"
	"minissh/cmd/minissh-lab/speak"
	"minissh/daemon/process"
)

// ownProgram is a learner's program that the lab runs where the learner is: the leader of a session
// of its own, so that its children end with it.
type ownProgram struct {
	who   string // server, client
	mark  string // in its environment, and in that of what it starts
	p     *process.Process
	quiet chan struct{} // closed when its output has ended
}

// startOwn runs argv here. What it prints goes to p, each line with the program's name before it.
func startOwn(p *speak.Printer, who string, argv []string) (*ownProgram, error) {
	mark := marked.New()
	env := append(os.Environ(), mark, "PYTHONUNBUFFERED=1", "PYTHONIOENCODING=utf-8",
		"PYTHONUTF8=1")
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	path, err := process.LookPath(argv[0], here, env)
	var proc *process.Process
	if err == nil {
		proc, err = process.Start(process.Spec{Path: path, Args: argv, Env: env, Dir: here})
	}
	q := speak.Quote([]byte(argv[0]))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, failure("找不到程序 "+q, "there is no program "+q, recordForm)
	case err != nil:
		return nil, failure("启动不了 "+q+"："+speak.Clean(err.Error()),
			"cannot start "+q+": "+speak.Clean(err.Error()), recordForm)
	}
	o := &ownProgram{who: who, mark: mark, p: proc, quiet: make(chan struct{})}
	var readers sync.WaitGroup
	for _, r := range []io.Reader{proc.Stdout, proc.Stderr} {
		readers.Go(func() { o.print(p, r) })
	}
	go func() { // until its output ends, at the latest in end
		readers.Wait()
		close(o.quiet)
	}()
	return o, nil
}

// print shows what the program says, as it says it.
func (o *ownProgram) print(p *speak.Printer, r io.Reader) {
	said := &ownLines{who: o.who, p: p}
	io.Copy(said, r)
	said.end()
}

// typeFrom hands the program what is typed here. A terminal's read cannot be interrupted: the
// goroutine may outlive the program, and ends with the lab.
func (o *ownProgram) typeFrom(in io.Reader) {
	go func() {
		io.Copy(o.p.Stdin, in)
		o.p.Stdin.Close()
	}()
}

// sayEnd says how it ended, after its last words. A child that it left may hold its output open.
func (o *ownProgram) sayEnd(p *speak.Printer) {
	timer := time.NewTimer(300 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-o.quiet:
	case <-timer.C:
	}
	result := o.p.Result()
	how := strconv.Itoa(result.Code)
	if result.How == process.Signalled {
		how = "SIG" + result.Signal
	}
	p.Sayf("%s 结束（%s）", "%s has ended (%s)", o.who, how)
}

// end ends the program with its children, and waits until they are gone.
func (o *ownProgram) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	o.p.Stop(ctx, 0) // what survives a kill is not ours to mend
	marked.End(ctx, o.mark)
	o.p.Close()
	<-o.quiet
}
