package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/crypto/ssh"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/daemon"
	"minissh/daemon/access"
	"minissh/daemon/process"
	"minissh/protocol/keys"
)

// tryDaemonVerb is how `minissh try` starts this program again as its daemon. The two talk over the
// child's standard input and output: each sends a public key, in authorized_keys form. The end of
// the child's standard input means that the parent has ended.
const tryDaemonVerb = "-minissh-try-daemon"

// try starts a daemon of its own, connected by a socket without a name, with keys that are in
// memory only; then it offers the prompt, or runs the command after --.
func try(flags ownFlags) error {
	own, err := keys.Generate()
	if err != nil {
		return err
	}
	conn, host, end, err := startTryDaemon(own)
	if err != nil {
		return fmt.Errorf("cannot start a daemon to try: %w", err)
	}
	defer end()
	account, err := process.CurrentAccount()
	if err != nil {
		return err
	}
	o, err := options.Parse([]string{"-F", "none", "-l", account.Name, "try"})
	if err != nil {
		return err
	}
	o.Command = flags.rest
	d := dialer(o)
	d.Conn, d.Host, d.Identity = conn, host, &own
	if flags.has("--trace") {
		d.Trace = report.Tracer(os.Stderr)
	}
	if len(o.Command) > 0 {
		return exitCode(run.Command(context.Background(), d, streams(), nil))
	}
	return runPrompt(d, false)
}

// startTryDaemon starts the child and exchanges keys with it. end lets it go and waits for it.
func startTryDaemon(own keys.Identity) (conn net.Conn, host ssh.PublicKey, end func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, nil, err
	}
	child := exec.Command(self, tryDaemonVerb)
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	connect, err := prepareTry(child)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := child.Start(); err != nil {
		return nil, nil, nil, err
	}
	end = func() {
		if conn != nil {
			conn.Close()
		}
		stdin.Close()
		child.Wait()
	}
	defer func() {
		if err != nil {
			end()
		}
	}()
	if _, err := stdin.Write(ssh.MarshalAuthorizedKey(own.Public)); err != nil {
		return nil, nil, nil, err
	}
	answer := bufio.NewReader(io.LimitReader(stdout, 4096))
	line, err := answer.ReadString('\n')
	if err != nil {
		return nil, nil, nil, fmt.Errorf("the daemon did not start: %w", err)
	}
	key, address, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return nil, nil, nil, err
	}
	if conn, err = connect(address); err != nil {
		return nil, nil, nil, err
	}
	return conn, key, end, nil
}

// tryDaemon is the child's side: it serves one connection, until that or the parent ends.
func tryDaemon() int {
	process.Prepare()
	parent := bufio.NewReader(os.Stdin)
	line, err := parent.ReadString('\n')
	if err != nil {
		return 1
	}
	guest, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return 1
	}
	account, err := process.CurrentAccount()
	if err != nil {
		fmt.Fprintf(os.Stderr, "minissh: %v\n", err)
		return 1
	}
	hostKey, err := keys.Generate()
	if err != nil {
		return 1
	}
	server, err := daemon.New(daemon.Options{
		Rules: access.Rules{Account: account, Access: onlyGuest{guest, account.Name},
			TLSOnUnix: true},
		HostKey: hostKey, Software: software,
	})
	if err != nil {
		return 1
	}
	address, accept, err := tryListen()
	if err != nil {
		fmt.Fprintf(os.Stderr, "minissh: %v\n", err)
		return 1
	}
	fmt.Printf("%s %s\n", strings.TrimSpace(string(ssh.MarshalAuthorizedKey(hostKey.Public))),
		address)
	served := make(chan struct{})
	go func() {
		defer close(served)
		if conn, err := accept(); err == nil {
			server.ServeConn(conn)
		}
	}()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		io.Copy(io.Discard, parent)
	}()
	select {
	case <-served:
	case <-gone:
	}
	now, cancel := context.WithCancel(context.Background())
	cancel()
	server.Shutdown(now)
	return 0
}

// onlyGuest admits only the key that the parent holds.
type onlyGuest struct {
	key  ssh.PublicKey
	user string
}

func (g onlyGuest) Authorize(who *access.Client) (*access.Grant, error) {
	if who.User != g.user || keys.Fingerprint(who.Proof.Key) != keys.Fingerprint(g.key) {
		return nil, fmt.Errorf("not the key of this try")
	}
	return &access.Grant{Where: "try"}, nil
}

func (g onlyGuest) WouldDo(*access.Client, []string) string { return "" }
func (g onlyGuest) AnyoneCould() bool                       { return true }
