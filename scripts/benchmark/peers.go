//go:build linux

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// peer is a running daemon and its client. It does not change after the lab has started it, except
// for relayed.
type peer struct {
	id      string // the name -peers knows
	title   string // program and version
	address string // the daemon's own host:port
	relayed string // a relay's host:port, once asked for
	pid     int
	// line is the client's command line up to the remote words, for a daemon or relay at host:port.
	// options are the client's own, such as a cipher.
	line func(host, port string, options ...string) []string
	// again starts one more such daemon somewhere; nil where that is not needed.
	again func(place) (*peer, error)
}

// argv is the client's full command line for one remote command at address.
func (p *peer) argv(address, command string, options ...string) []string {
	host, port, _ := net.SplitHostPort(address) // both addresses are of our own making
	return append(p.line(host, port, options...), command)
}

// ours tells minissh from what it is measured against.
func (p *peer) ours() bool { return p.id == "minissh" }

var starters = map[string]func(*lab) (*peer, error){
	"openssh": startOpenSSH, "dropbear": startDropbear, "minissh": startMinissh,
}

// errNotHere marks a peer that this machine cannot show; the run goes on without it and the report
// says so.
var errNotHere = errors.New("not measured")

func (l *lab) startPeers() error {
	for _, id := range l.o.peers {
		p, err := starters[id](l)
		if errors.Is(err, errNotHere) {
			l.notes = append(l.notes, err.Error())
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		l.peers = append(l.peers, p)
	}
	if len(l.peers) == 0 {
		return errors.New("nothing to measure")
	}
	return nil
}

// find returns the peer with this id, or nil.
func (l *lab) find(id string) *peer {
	if i := slices.IndexFunc(l.peers, func(p *peer) bool { return p.id == id }); i >= 0 {
		return l.peers[i]
	}
	return nil
}

func startOpenSSH(l *lab) (*peer, error) {
	sshd, err := exec.LookPath("/usr/sbin/sshd")
	if err != nil {
		return nil, fmt.Errorf("%w: OpenSSH: no /usr/sbin/sshd here (apt-get install "+
			"openssh-server)", errNotHere)
	}
	client, err := exec.LookPath("ssh")
	if err != nil {
		return nil, fmt.Errorf("%w: OpenSSH: no ssh here (apt-get install openssh-client)",
			errNotHere)
	}
	if os.Geteuid() == 0 { // the directory that sshd changes its root to; its service would make it
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			return nil, err
		}
	}
	again := func(at place) (*peer, error) { return l.runOpenSSH(at, sshd, client) }
	p, err := again(here)
	if err == nil {
		p.again = again
	}
	return p, err
}

// runOpenSSH starts an sshd somewhere.
func (l *lab) runOpenSSH(at place, sshd, client string) (*peer, error) {
	port, err := at.freePort()
	if err != nil {
		return nil, err
	}
	config := []string{"ListenAddress " + at.host + ":" + port, "HostKey " + l.path("host"),
		"PidFile none", "UsePAM no",
		"StrictModes no", "AuthorizedKeysFile " + l.authorizedKeys(), "PasswordAuthentication no",
		"PermitRootLogin yes",
		"Subsystem sftp internal-sftp", "MaxStartups 2000", "MaxSessions 2000", "PrintMotd no",
		"PrintLastLog no", "UseDNS no"}
	if !l.private {
		config = append(config, "SetEnv HOME="+l.path("home"))
	}
	file := l.path("sshd_config" + strconv.Itoa(len(l.daemons)))
	if err := os.WriteFile(file, []byte(strings.Join(config, "\n")+"\n"), 0o600); err != nil {
		return nil, err
	}
	cmd, output, err := l.daemonAt(at, sshd, "-D", "-e", "-f", file)
	if err != nil {
		return nil, err
	}
	if _, err := l.await(cmd, output, "Server listening on "+at.host); err != nil {
		return nil, err
	}
	version, _ := exec.Command(client, "-V").CombinedOutput() // the title only
	name, _, _ := strings.Cut(string(version), " ")
	p := &peer{id: "openssh", title: strings.TrimRight(strings.Replace(name, "_", " ", 1), ",\n"),
		address: at.host + ":" + port, pid: cmd.Process.Pid}
	p.line = func(host, port string, options ...string) []string {
		return slices.Concat([]string{client, "-F", "none", "-p", port, "-i", l.key, "-o",
			"IdentitiesOnly=yes", "-o", "BatchMode=yes",
			"-o", "UserKnownHostsFile=" + l.path("known_hosts"), "-o",
			"StrictHostKeyChecking=accept-new"}, options, []string{l.user.Username + "@" + host})
	}
	return p, nil
}

func startDropbear(l *lab) (*peer, error) {
	for _, program := range []string{"dropbear", "dbclient", "dropbearkey"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("%w: dropbear: no %s here (apt-get install dropbear-bin)",
				errNotHere, program)
		}
	}
	if !l.private {
		return nil, fmt.Errorf("%w: dropbear reads keys and start-up files from the account's "+
			"own home", errNotHere)
	}
	for _, name := range []string{"dropbear_host", "dropbear_key"} {
		if out, err := exec.CommandContext(l.ctx, "dropbearkey", "-t", "ed25519", "-f",
			l.path(name)).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("dropbearkey: %w: %q", err, out)
		}
	}
	out, err := exec.CommandContext(l.ctx, "dropbearkey", "-y", "-f",
		l.path("dropbear_key")).Output()
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(l.authorizedKeys(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(regexp.MustCompile(`(?m)^ssh-ed25519 .*$`).FindString(string(out)) +
		"\n")
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	port, err := here.freePort()
	if err != nil {
		return nil, err
	}
	daemon, _ := exec.LookPath("dropbear")
	cmd, output, err := l.daemon(daemon, "-F", "-E", "-m", "-p", "127.0.0.1:"+port, "-r",
		l.path("dropbear_host"), "-P", l.path("dropbear.pid"))
	if err != nil {
		return nil, err
	}
	if _, err := l.await(cmd, output, "Not backgrounding"); err != nil {
		return nil, err
	}
	version, _ := exec.Command("dropbear", "-V").CombinedOutput() // the title only
	p := &peer{
		id:      "dropbear",
		title:   strings.ToLower(strings.TrimSpace(strings.Replace(string(version), " v", " ", 1))),
		address: "127.0.0.1:" + port, pid: cmd.Process.Pid}
	p.line = func(host, port string, options ...string) []string {
		return slices.Concat([]string{"dbclient", "-y", "-y", "-p", port, "-i",
			l.path("dropbear_key")}, options, []string{l.user.Username + "@" + host})
	}
	return p, nil
}

// startMinissh builds both programs from the tree as scripts/build does, puts them in place as
// scripts/install does, and starts the daemon. The copy matters: the linker leaves a file in the
// kernel's page cache in pieces of 4 KiB, which costs each start of it most of a millisecond more
// than a file that was written in one go, as the peers' were by their package.
func startMinissh(l *lab) (*peer, error) {
	l.progress("building minissh")
	build := exec.CommandContext(l.ctx, "go", "build", "-trimpath", "-tags", "urfave_cli_no_docs",
		"-ldflags", "-s -w", "-o", l.path("built")+"/", "./cmd/minissh", "./cmd/minisshd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w\n%s", err, out)
	}
	for _, name := range []string{"minissh", "minisshd"} {
		program, err := os.ReadFile(l.path("built/" + name))
		if err == nil {
			err = os.WriteFile(l.path("bin/"+name), program, 0o755)
		}
		if err != nil {
			return nil, err
		}
	}
	again := func(at place) (*peer, error) { return l.runMinissh(at) }
	p, err := again(here)
	if err == nil {
		p.again = again
	}
	return p, err
}

// runMinissh starts one more of the daemons that startMinissh has built, somewhere and with more
// flags.
func (l *lab) runMinissh(at place, flags ...string) (*peer, error) {
	cmd, output, err := l.daemonAt(at, slices.Concat([]string{l.path("bin/minisshd"), "--control",
		"none", "--listen", at.host + ":0", "--host-key", l.path("host"), "--authorized-keys",
		l.authorizedKeys()}, flags)...)
	if err != nil {
		return nil, err
	}
	ready, err := l.await(cmd, output, "listening on ")
	if err != nil {
		return nil, err
	}
	address := regexp.MustCompile(regexp.QuoteMeta(at.host) + `:\d+`).FindString(ready)
	if address == "" {
		return nil, fmt.Errorf("no address in the ready line %q", ready)
	}
	p := &peer{id: "minissh", title: "minissh", address: address, pid: cmd.Process.Pid}
	p.line = func(host, port string, options ...string) []string {
		return slices.Concat([]string{l.path("bin/minissh"), "-F", "none", "-p", port, "-i", l.key,
			"-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
			"-o", "UserKnownHostsFile=" + l.path("known_hosts"), "-o",
			"StrictHostKeyChecking=accept-new"}, options, []string{l.user.Username + "@" + host})
	}
	return p, nil
}

// await returns the line with text in the file of what a daemon prints, once it is there whole.
func (l *lab) await(cmd *exec.Cmd, printed, text string) (string, error) {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		all, err := os.ReadFile(printed)
		if err != nil {
			return "", err
		}
		for line := range strings.Lines(string(all)) {
			if strings.Contains(line, text) && strings.HasSuffix(line, "\n") {
				return line, nil
			}
		}
		var ended unix.Siginfo // it stays to be waited for
		if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, &ended,
			unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil); err == nil && ended.Signo != 0 {
			return "", fmt.Errorf("the daemon ended before it was ready: %.2000q", all)
		}
		select {
		case <-l.ctx.Done():
			return "", l.ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	all, _ := os.ReadFile(printed) // the message only
	return "", fmt.Errorf("no line with %q within 20 s, but %.2000q", text, all)
}

// freePort finds a port for a daemon that cannot choose one itself.
func (at place) freePort() (port string, err error) {
	err = at.do(func() error {
		ln, err := net.Listen("tcp", at.host+":0")
		if err != nil {
			return err
		}
		defer ln.Close()
		_, port, err = net.SplitHostPort(ln.Addr().String())
		return err
	})
	return port, err
}
