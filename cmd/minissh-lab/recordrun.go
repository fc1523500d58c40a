package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"minissh/cmd/minissh-lab/relay"
	"minissh/cmd/minissh-lab/server"
	"minissh/cmd/minissh-lab/speak"
	"minissh/cmd/minissh-lab/tape"
)

// lastWords is how long connections may take to end when the programs have ended.
const lastWords = 2 * time.Second

// run records until its programs have ended, or Ctrl-C.
func (r *recording) run(c *cli.Context, p *speak.Printer) error {
	ctx, cancel := context.WithCancel(c.Context)
	defer cancel()
	serverEnded := make(chan struct{})
	if r.server != nil {
		r.relay.Ended = serverEnded
	}
	connections := newLinks()
	r.relay.Linked = connections.add
	rl, err := relay.Listen(r.relay)
	if err != nil {
		return r.relayProblem(err)
	}
	defer rl.Close()
	file, err := r.createFile()
	if err != nil {
		return err
	}
	if r.client != nil {
		r.client = fillAddress(r.client, r.relay.Network, rl.Addr().String())
	}
	r.sayReady(p, rl)
	var traced *tracing
	if c.Bool("strace") {
		traced = r.startTracing(ctx, p, connections)
	}
	programs, err := r.start(p, traced)
	defer func() {
		for _, o := range programs {
			o.end()
		}
	}()
	shown := func() error { return nil }
	if err == nil && c.Bool("web") {
		shown, err = startWeb(c.Context, p, r.growing)
	}
	if err != nil {
		for _, o := range programs {
			o.end()
		}
		traced.end(r.relay.Tape)
		return errors.Join(err, r.discard(file))
	}
	if r.server != nil {
		go func() { // it ends with the program, which ends with this function
			<-programs[0].p.Done()
			close(serverEnded)
		}()
	}
	if len(programs) > 0 {
		programs[len(programs)-1].typeFrom(c.App.Reader)
	}
	served := make(chan struct{}) // closed when err is set
	go func() { defer close(served); err = rl.Serve(ctx) }()
	var watchers sync.WaitGroup
	watchers.Go(func() { r.follow(p, file) })
	r.wait(p, programs, rl, served)
	cancel()
	<-served
	for _, o := range programs {
		o.end()
	}
	traced.end(r.relay.Tape)
	watchers.Wait()
	err = errors.Join(err, r.finish(p, file))
	if c.Bool("web") && c.Context.Err() == nil && err == nil {
		p.Say("页面还在，Ctrl-C 结束", "the page stays until Ctrl-C")
	}
	return errors.Join(err, shown())
}

// start starts the programs, the server first. With an error, those that run are the caller's to
// end, too.
func (r *recording) start(p *speak.Printer, traced *tracing) (programs []*ownProgram, err error) {
	for _, s := range []struct {
		who  string
		argv []string
	}{{"server", r.server}, {"client", r.client}} {
		if s.argv == nil {
			continue
		}
		o, err := startOwn(p, s.who, traced.around(s.who, s.argv))
		if err != nil {
			return programs, err
		}
		programs = append(programs, o)
	}
	return programs, nil
}

// wait waits for the end of the run: of the relay (Ctrl-C), or of the client's program, or of the
// server's if there is no client here. Connections may then say their last words.
func (r *recording) wait(p *speak.Printer, programs []*ownProgram, rl *relay.Relay,
	served <-chan struct{}) {
	if len(programs) == 0 {
		<-served
		return
	}
	last := programs[len(programs)-1]
	select {
	case <-served:
		return
	case <-last.p.Done():
	}
	last.sayEnd(p)
	rl.Stop()
	timer := time.NewTimer(lastWords)
	defer timer.Stop()
	select {
	case <-served:
	case <-timer.C:
	}
}

// follow shows and saves the run as it grows. Neither holds up the relay.
func (r *recording) follow(p *speak.Printer, file *runFile) {
	view := newRunView(p, r.dialect, r.bigEndian)
	r.relay.Tape.Follow(func(events []tape.Event) {
		view.show(events)
		if file != nil {
			file.w.Write(events)
		}
	})
	view.end()
}

// runFile is the file of --save.
type runFile struct {
	f    *os.File
	w    *tape.Writer
	path string
}

// createFile begins the file of --save, nil without one. One that exists is left alone; others
// cannot read it, since passwords may be in it.
func (r *recording) createFile() (*runFile, error) {
	if r.save == "" {
		return nil, nil
	}
	q := speak.Quote([]byte(r.save))
	f, err := os.OpenFile(r.save, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		ext := filepath.Ext(r.save)
		return nil, failure("文件 "+q+" 已经在了", "file "+q+" exists already", "--save "+
			speak.Quote([]byte(strings.TrimSuffix(r.save, ext)+"2"+ext)))
	case err != nil:
		text := speak.Clean(err.Error())
		return nil, failure("不能写 "+q+"："+text, "cannot write "+q+": "+text, "--save mine.run")
	}
	title := strings.TrimSuffix(filepath.Base(r.save), filepath.Ext(r.save))
	return &runFile{f, tape.NewWriter(f, r.relay.Tape.Began(), title), r.save}, nil
}

// discard removes a file in which nothing was recorded.
func (r *recording) discard(file *runFile) error {
	if file == nil {
		return nil
	}
	file.f.Close()
	return os.Remove(file.path)
}

// finish closes the file and says what there is now.
func (r *recording) finish(p *speak.Printer, file *runFile) error {
	if file == nil {
		return nil
	}
	file.w.Write(nil) // the header, if nothing has happened
	err := errors.Join(file.w.Err(), file.f.Close())
	q := speak.Quote([]byte(file.path))
	if err != nil {
		text := speak.Clean(err.Error())
		return failure("没有存好 "+q+"："+text, "the run was not saved in "+q+": "+text,
			"--save mine.run")
	}
	p.Sayf("已存到 %s：minissh-lab record --open %[1]s", "saved: minissh-lab record --open %s", q)
	return nil
}

// sayReady says who connects where.
func (r *recording) sayReady(p *speak.Printer, rl *relay.Relay) {
	from, to := addressText(rl.Addr()), r.relay.TargetAddress
	if r.relay.TargetNetwork == "unix" {
		to = "unix:" + to
	}
	to = speak.Clean(to)
	p.Sayf("客户端 → %s（实验室）→ %s 服务端。Ctrl-C 结束", "client → %s (the lab) → %s server. "+
		"Ctrl-C ends", from, to)
	if r.client == nil && r.relay.Network == "tcp" {
		p.Sayf("让你的客户端连 %s", "have your client connect to %s", reachable(rl.Addr()))
	}
	if server.Beyond(rl.Addr()) && r.relay.Network == "tcp" {
		p.Say("同一网络里的人都连得上你的服务端",
			"others on the network reach your server through it")
	}
	p.Say("→ 客户端发的，← 服务端发的；+ 离上一块多久；seg 几个 TCP 段",
		"→ from the client, ← from the server; + since the piece before; seg: TCP segments")
}

// openRun reads a saved run from anybody.
func openRun(path string) (tape.Header, []tape.Event, error) {
	q := speak.Quote([]byte(path))
	// Asked before it is opened: opening a FIFO would wait.
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = tape.ErrNotARun
	}
	var h tape.Header
	var events []tape.Event
	if err == nil {
		var f *os.File
		if f, err = os.Open(path); err == nil {
			h, events, err = tape.Read(f)
			f.Close()
		}
	}
	var future *tape.VersionError
	var broken *tape.LineError
	const hint = "minissh-lab record --save mine.run -- python3 server.py"
	switch {
	case err == nil:
		return h, events, nil
	case errors.Is(err, fs.ErrNotExist):
		return h, nil, failure("没有文件 "+q, "no file "+q, hint)
	case errors.Is(err, tape.ErrNotARun):
		return h, nil, failure(q+" 不是存下来的记录", q+" is not a recorded run", hint)
	case errors.As(err, &future):
		return h, nil, &problem{zh: q + " 来自更新的实验室", en: q + " comes from a newer lab",
			hintZh: "更新 minissh-lab", hintEn: "update minissh-lab"}
	case errors.As(err, &broken):
		return h, nil, failure(fmt.Sprintf("%s 第 %d 行坏了", q, broken.Line),
			fmt.Sprintf("%s is broken: %s", q, speak.Clean(broken.Error())), hint)
	}
	text := speak.Clean(err.Error())
	return h, nil, failure("打不开 "+q+"："+text, "cannot open "+q+": "+text, hint)
}

// showSaved shows one run, as it was shown when it was recorded.
func showSaved(p *speak.Printer, r recording, path string) error {
	h, events, err := openRun(path)
	if err != nil {
		return err
	}
	p.Raw(runTitle(h) + "\n")
	view := newRunView(p, r.dialect, r.bigEndian)
	view.show(events)
	view.end()
	return nil
}

// runTitle names a saved run.
func runTitle(h tape.Header) string {
	return speak.Quote([]byte(h.Title)) + " " + h.Began.Local().Format("2006-01-02 15:04:05")
}
