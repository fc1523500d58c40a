//go:build unix

package testhost

import (
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
)

// Daemon is a running minisshd.
type Daemon struct {
	Cmd      *exec.Cmd
	Port     string        // on 127.0.0.1
	Out, Log *Text         // its standard output and error
	Done     chan struct{} // closed when it has ended
}

var listening = regexp.MustCompile(`127\.0\.0\.1:(\d+)`)

// Daemon starts minisshd on a port of loopback, and makes the client know it: the host key is in
// known_hosts, and `box` is a name of it in minissh's own configuration. It is stopped at the end
// of the test.
func (p *Place) Daemon(args ...string) *Daemon {
	p.t.Helper()
	args = append([]string{"--control", "none", "--listen", "127.0.0.1:0", "--host-key",
		p.Path("host_key"), "--authorized-keys", p.Path("authorized_keys")}, args...)
	d := p.Start(p.Command("minisshd", args...))
	d.Out.Await(p.t, "\n")
	line := d.Out.String()
	found := listening.FindStringSubmatch(line)
	if found == nil {
		p.t.Fatalf("minisshd: %s%s", line, d.Log)
	}
	d.Port = found[1]
	p.Knows("box", d.Port)
	return d
}

// Knows makes the client know the daemon with the host key of this place by a name.
func (p *Place) Knows(name, port string) {
	p.t.Helper()
	p.Write("home/.ssh/known_hosts", p.Read("home/.ssh/known_hosts")+
		fmt.Sprintf("[127.0.0.1]:%s %s\n", port, strings.TrimSpace(p.Read("host_key.pub"))))
	p.Write("home/.config/minissh/config", p.Read("home/.config/minissh/config")+
		fmt.Sprintf("Host %s\n\tHostName 127.0.0.1\n\tPort %s\n", name, port))
}

// Start starts a prepared process that runs until the test ends: then it gets TERM, twice, and is
// waited for.
func (p *Place) Start(cmd *exec.Cmd) *Daemon {
	p.t.Helper()
	d := &Daemon{Cmd: cmd, Out: new(Text), Log: new(Text)}
	return p.start(d, d.Out, d.Log)
}

// StartWith is Start with outputs of the test's own: Out and Log of the result are nil.
func (p *Place) StartWith(cmd *exec.Cmd, stdout, stderr io.Writer) *Daemon {
	p.t.Helper()
	return p.start(&Daemon{Cmd: cmd}, stdout, stderr)
}

func (p *Place) start(d *Daemon, stdout, stderr io.Writer) *Daemon {
	p.t.Helper()
	cmd := d.Cmd
	cmd.Stdout, cmd.Stderr = stdout, stderr
	d.Done = make(chan struct{})
	p.Must(cmd.Start())
	go func() { cmd.Wait(); close(d.Done) }()
	p.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Process.Signal(syscall.SIGTERM)
		<-d.Done
	})
	return d
}
