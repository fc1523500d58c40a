package check

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"minissh/cmd/minissh-lab/chaos"
	"minissh/cmd/minissh-lab/check/cause"
	"minissh/cmd/minissh-lab/speak"
)

// ownCheck is the last lesson's: a client of this project's own protocol, written
// from PROTOCOL.md, against a real minisshd on a Unix socket (CA3: no TLS there).
func ownCheck() *Check {
	return &Check{Lesson: "own", Port: 7422, Client: []Case{
		{Name: "output", What: tx("echo 的输出", "the output of echo"), run: ownRun("echo minissh-lab 中文", "minissh-lab 中文\n", "", 0, false)},
		{Name: "status", What: tx("退出码 7", "exit status 7"), run: ownRun("exit 7", "", "", 7, false)},
		{Name: "stderr", What: tx("stderr 和 stdout 分开", "stderr apart from stdout"), run: ownRun("echo out; echo err >&2", "out\n", "err\n", 0, false)},
		{Name: "window",
			What: tx("输出超过一个窗口（588895 字节）",
				"more output than one window (588895 bytes)"),
			run: ownRun("seq 100000", ownNumbers(), "", 0, false)},
		{Name: "chaos", What: tx("守护进程的字节一个一个地到", "the daemon's bytes come one by one"), run: ownRun("echo slow; exit 3", "slow\n", "", 3, true)},
	}}
}

// ownNumbers is what seq 100000 prints.
var ownNumbers = sync.OnceValue(func() string {
	var b []byte
	for n := range 100000 {
		b = append(strconv.AppendInt(b, int64(n+1), 10), '\n')
	}
	return string(b)
})

// prepareOwn finds minisshd, or builds it; the caller removes what it made.
func prepareOwn(ctx context.Context) (path string, remove func(), err error) {
	if runtime.GOOS == "windows" {
		return "", nil,
			&Trouble{
				Text: tx("这里的 minisshd 没有 Unix 套接字", "minisshd has no Unix sockets here")}
	}
	remove = func() {}
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), "minisshd")
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() &&
			info.Mode()&0o111 != 0 {
			return beside, remove, nil
		}
	}
	if found, err := exec.LookPath("minisshd"); err == nil {
		return found, remove, nil
	}
	dir, err := os.MkdirTemp("", "minissh-lab-own-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { os.RemoveAll(dir) }
	path = filepath.Join(dir, "minisshd")
	if exec.CommandContext(ctx, "go", "build", "-o", path, "minissh/cmd/minisshd").Run() != nil {
		remove()
		return "", nil, &Trouble{Text: tx("找不到 minisshd", "minisshd is not there"),
			Hint: "go build -o . ./cmd/minisshd ./cmd/minissh-lab"}
	}
	return path, remove, nil
}

// startDaemon runs minisshd on a Unix socket in the case's folder.
func (a *attack) startDaemon() (address string, stop func(), err error) {
	dir, err := os.MkdirTemp("", "lab-own-") // a socket's path may have about 100 bytes
	if err != nil {
		return "", nil, err
	}
	socket := filepath.Join(dir, "s")
	d, err := startProgram([]string{a.o.daemon, "--control", "none", "--listen", "unix:" + socket,
		"--host-key", filepath.Join(dir, "key"), "--stop-grace", "1s", "--shutdown-grace", "1s"},
		dir)
	if err != nil {
		os.RemoveAll(dir)
		return "", nil, err
	}
	stop = func() {
		d.p.Signal("TERM") // in peace: its commands have sessions of their own
		t := time.NewTimer(10 * time.Second)
		defer t.Stop()
		select {
		case <-d.p.Done():
		case <-t.C:
		}
		d.end()
		os.RemoveAll(dir)
	}
	t := time.NewTimer(a.o.Start)
	defer t.Stop()
	for {
		changed := d.output.changed()
		if strings.Contains(d.output.from(0), "listening on") {
			return socket, stop, nil
		}
		select {
		case <-changed:
			continue
		case <-d.p.Done():
		case <-t.C:
		case <-a.ctx.Done():
		}
		d.settle()
		said := speak.QuoteShort([]byte(d.errors.lastLine()), 200)
		stop()
		return "", nil,
			&Trouble{Text: tx("minisshd 没有起来：%s", "minisshd did not come up: %s", said)}
	}
}

// ownArguments puts address and command into the learner's command line, at the end
// where it has no {address} and {command}.
func ownArguments(program []string, address, command string) []string {
	args := slices.Clone(program)
	mentioned := false
	for i, x := range args {
		mentioned = mentioned || strings.Contains(x, "{address}") ||
			strings.Contains(x, "{command}")
		args[i] = strings.NewReplacer("{address}", address, "{command}", command).Replace(x)
	}
	if !mentioned {
		args = append(args, address, command)
	}
	return args
}

// ownRun runs one command through the learner's client and compares all that came
// out. With slowly the daemon's bytes come through a relay, one by one.
func ownRun(command, out, errOut string, code int, slowly bool) func(*attack) error {
	return func(a *attack) error {
		socket, stop, err := a.startDaemon()
		if err != nil {
			return err
		}
		defer stop()
		if slowly {
			relay, stopRelay, err := a.relay(socket)
			if err != nil {
				return err
			}
			defer stopRelay()
			socket = relay
		}
		if a.prog, err = startProgram(ownArguments(a.o.Program, "unix:"+socket, command),
			a.work.dir); err != nil {
			return err
		}
		defer a.prog.end()     // before the daemon, which waits for its clients
		a.prog.p.Stdin.Close() // nothing is typed
		fail := &Failure{Sent: tx("命令 %s", "the command %s", quote([]byte(command))),
			Belief: cause.ShortRecv}
		switch { // by the size of the answer: what it is that fails there
		case len(out) > 262144:
			fail.Belief = cause.WindowGrows
		case code != 0 && !slowly:
			fail.Belief = cause.ClosedIsSuccess
		}
		limit := 3 * a.o.Limit // a whole program, and perhaps a slow one
		f, _ := a.fateLong(limit)
		a.prog.settle()
		got, said := a.prog.output.from(0), a.prog.errors.from(0)
		fail.Want = tx("stdout %s（%d 字节），退出码 %d", "stdout %s (%d bytes), exit status %d",
			quote([]byte(out)), len(out), code)
		if f != ended {
			fail.Got = tx("stdout %s（%d 字节），然后 ", "stdout %s (%d bytes), then ",
				quote([]byte(got)), len(got)).Plus(fateText(f, limit))
			return fail
		}
		r := a.prog.p.Result()
		if got != out || r.Code != code {
			fail.Got = tx("stdout %s（%d 字节），退出码 %d", "stdout %s (%d bytes), exit status %d",
				quote([]byte(got)), len(got), r.Code)
			return fail
		}
		if errOut != "" && said != errOut {
			fail.Want = tx("stderr %s", "stderr %s", quote([]byte(errOut)))
			fail.Got = tx("stderr %s", "stderr %s", quote([]byte(said)))
			fail.Belief = nil
			return fail
		}
		return nil
	}
}

// fateLong waits for the program's end; it may work hard in the meantime.
func (a *attack) fateLong(limit time.Duration) (fate, []byte) {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-a.prog.p.Done():
		return ended, nil
	case <-t.C:
	case <-a.ctx.Done():
	}
	return hangs, nil
}

// relay listens beside the daemon's socket and passes one connection on: to the
// daemon as it comes, from the daemon byte by byte.
func (a *attack) relay(socket string) (address string, stop func(), err error) {
	address = socket + "r"
	l, err := net.Listen("unix", address)
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(a.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		client, err := l.Accept()
		if err != nil {
			return
		}
		defer client.Close()
		daemon, err := net.Dial("unix", socket)
		if err != nil {
			return
		}
		defer daemon.Close()
		defer context.AfterFunc(ctx, func() { client.Close(); daemon.Close() })()
		up := make(chan struct{})
		go func() {
			io.Copy(daemon, client)
			daemon.(*net.UnixConn).CloseWrite() // the client has left, or its link is cut
			close(up)
		}()
		slowly(ctx, client, daemon)
		client.(*net.UnixConn).CloseWrite()
		<-up
	}()
	return address, func() { cancel(); l.Close(); <-done }, nil
}

// slowly copies byte by byte, each only when the one before has been read.
func slowly(ctx context.Context, dst, src net.Conn) {
	buf := make([]byte, 4096)
	for {
		n, err := src.Read(buf)
		for i := range n {
			chaos.Separated(ctx, dst)
			if _, err := dst.Write(buf[i : i+1]); err != nil {
				return
			}
		}
		if err != nil || errors.Is(ctx.Err(), context.Canceled) {
			return
		}
	}
}
