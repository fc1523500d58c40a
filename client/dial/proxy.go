package dial

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"minissh/client/atexit"
	"minissh/client/options"
	"minissh/client/report"
)

// A proxy that is no longer needed gets the end of its input, SIGHUP after proxyGrace, and SIGKILL
// after as long again. If this process ends, hurriedGrace takes the place of proxyGrace: atexit
// waits no longer, and what a proxy has read it has passed on by then.
const (
	proxyGrace   = time.Second
	hurriedGrace = 40 * time.Millisecond
	// how long an end of the output waits for the program's own end, to tell how it ended
	proxyEnd = 200 * time.Millisecond
)

// proxy is a program whose standard input and output are the connection (ProxyCommand, ProxyJump).
// It is started anew for each link.
type proxy struct {
	name  string // how messages call it
	hint  string // what to type if it does not work
	cmd   *exec.Cmd
	alone bool     // it leads a session of its own: nobody can be asked, and no Ctrl-C reaches it
	in    *os.File // what it reads
	out   *os.File // what it writes

	heard atomic.Bool   // the other side has said something
	left  atomic.Bool   // it has been let go: nobody reads any more
	leave func()        // lets it end, once
	hurry chan struct{} // closed when this process ends
	dead  chan struct{} // closed when the program has ended
	ended chan struct{} // closed when nothing is left of it
}

// startProxy starts the program that the options name. If it may ask it shares our terminal, and
// our process group with it, since a program in another may not read from there. A terminal's
// Ctrl-C is ignored there: it is for the command on the other side, which needs the connection to
// hear of it. Otherwise it has a session of its own, that can be ended as a whole.
func (n *network) startProxy(ctx context.Context, mayAsk bool) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := &proxy{hurry: make(chan struct{}), dead: make(chan struct{}), ended: make(chan struct{})}
	argv, err := p.command(n)
	if err != nil {
		return nil, err
	}
	p.alone = !mayAsk || !hasTerminal()
	if !p.alone {
		// The script is constant, and argv is not part of it.
		argv = append([]string{"/bin/sh", "-c", `trap "" INT; exec "$@"`, "sh"}, argv...)
	}
	n.messages.Debug("the connection is made by: %q", argv)
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.SysProcAttr = apart(p.alone)
	if !mayAsk { // nor by a window
		p.cmd.Env = append(os.Environ(), "SSH_ASKPASS_REQUIRE=never")
	}
	// else messages of each attempt would come over what is on the screen
	if mayAsk || n.LogLevel >= options.LevelDebug1 {
		p.cmd.Stderr = os.Stderr
	}
	if err := p.start(); err != nil {
		return nil, report.Failed(err, p.hint, "%s cannot be started: %v", p.name,
			report.Plain(err))
	}
	return p, nil
}

// start starts the program between two pipes.
func (p *proxy) start() (err error) {
	theirIn, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer theirIn.Close()
	out, theirOut, err := os.Pipe()
	if err != nil {
		in.Close()
		return err
	}
	defer theirOut.Close()
	p.in, p.out, p.cmd.Stdin, p.cmd.Stdout = in, out, theirIn, theirOut
	if err := p.cmd.Start(); err != nil {
		in.Close()
		out.Close()
		return err
	}
	p.leave = sync.OnceFunc(func() {
		p.left.Store(true)
		p.in.Close()
		p.out.SetReadDeadline(time.Unix(1, 0)) // whoever reads goes away
		go func() {
			defer close(p.ended)
			p.end()
		}()
	})
	forget := atexit.Do(func() {
		close(p.hurry)
		p.leave()
		<-p.ended
	})
	go func() {
		p.await()
		close(p.dead)
		<-p.ended
		forget()
	}()
	return nil
}

// command is what to run.
func (p *proxy) command(n *network) ([]string, error) {
	if !proxies {
		return nil, report.Failed(nil, "-o ProxyCommand=none -o ProxyJump=none goes on without it",
			"ProxyCommand and ProxyJump do not work on this system yet")
	}
	if len(n.Jumps) == 0 {
		p.name, p.hint = "the ProxyCommand for "+n.Alias,
			"-o ProxyCommand=none goes on without it, -v shows it"
		return []string{shellOfUser(), "-c", "exec " + n.ProxyCommand}, nil
	}
	last := n.Jumps[len(n.Jumps)-1]
	p.name = "the way through " + last.Host
	if last.SSH {
		p.hint = "is ssh installed, and does ssh " + last.Host + " work?"
	} else {
		p.hint = "minissh " + last.Host + " tells whether that host works; -J ssh://" + last.Host +
			" goes through its sshd"
	}
	self, err := os.Executable()
	if err != nil {
		return nil, report.Failed(err, "", "%s cannot be started: %v", p.name, err)
	}
	return n.JumpCommand(self), nil
}

// shellOfUser is what runs a ProxyCommand, as in ssh.
func shellOfUser() string {
	if shell := os.Getenv("SHELL"); shell != "" {
		return shell
	}
	return "/bin/sh"
}

// Read reads what the other side sent.
func (p *proxy) Read(b []byte) (int, error) {
	if p.left.Load() {
		return 0, net.ErrClosed
	}
	n, err := p.out.Read(b)
	if n > 0 {
		p.heard.Store(true)
	}
	return n, p.reason(err)
}

// Write has the proxy send something. If it is gone, what it wrote before tells why (FR8): whoever
// has heard nothing yet has nothing to read.
func (p *proxy) Write(b []byte) (int, error) {
	n, err := p.in.Write(b)
	return n, p.reason(err)
}

// reason puts the end of the proxy into words, if that is why the host could not be reached.
func (p *proxy) reason(err error) error {
	switch {
	case err != nil && p.left.Load():
		return net.ErrClosed
	case p.heard.Load() || err != io.EOF && !errors.Is(err, syscall.EPIPE):
		return err
	}
	how := "its output has ended"
	select {
	case <-p.dead:
		p.leave()
		<-p.ended
		how = p.cmd.ProcessState.String()
	case <-time.After(proxyEnd):
	}
	return report.Failed(err, p.hint, "%s was closed before anybody answered: %s", p.name, how).
		Of(report.ClassUnreachable)
}

// end sees to it that the program ends. What it still writes is read and dropped, so that it does
// not complain of a closed pipe: a daemon says something when it closes.
func (p *proxy) end() {
	dropped := make(chan struct{})
	go func() {
		defer close(dropped)
		p.out.SetReadDeadline(time.Time{})
		io.Copy(io.Discard, p.out)
	}()
	defer func() { p.out.Close(); <-dropped }()
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGKILL} {
		if p.gone() {
			break
		}
		p.signal(sig)
	}
	<-p.dead
	p.reap()
}

// gone waits until the program has ended, and says whether it has in time.
func (p *proxy) gone() bool {
	select {
	case <-p.dead:
		return true
	case <-time.After(proxyGrace):
		return false
	case <-p.hurry:
	}
	select {
	case <-p.dead:
		return true
	case <-time.After(hurriedGrace):
		return false
	}
}

// Close lets the program end, and does not wait for that.
func (p *proxy) Close() error {
	p.leave()
	return nil
}

// CloseWrite ends its input.
func (p *proxy) CloseWrite() error { return p.in.Close() }

func (p *proxy) SetDeadline(t time.Time) error {
	return errors.Join(p.out.SetReadDeadline(t), p.in.SetWriteDeadline(t))
}
func (p *proxy) SetReadDeadline(t time.Time) error  { return p.out.SetReadDeadline(t) }
func (p *proxy) SetWriteDeadline(t time.Time) error { return p.in.SetWriteDeadline(t) }

func (p *proxy) LocalAddr() net.Addr  { return proxyAddr{} }
func (p *proxy) RemoteAddr() net.Addr { return proxyAddr{} }

// proxyAddr stands for an address that nobody knows here.
type proxyAddr struct{}

func (proxyAddr) Network() string { return "proxy" }
func (proxyAddr) String() string  { return "proxy" }
