//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol/keys"
	"minissh/scripts/wire"
)

// lab is one run: a temporary directory, the keys in it, and every process that outlives one
// measurement. One goroutine uses it; contenders that run in parallel only call its read-only
// methods.
type lab struct {
	ctx     context.Context
	o       options
	dir     string // 0700; removed by close
	user    *user.User
	private bool   // daemons see an empty home at the account's own path
	key     string // the client's key file, OpenSSH format; its public half in key+".pub"
	peers   []*peer
	daemons []*exec.Cmd
	printed []string // files with what the daemons print, in the same order
	relays  []*wire.Relay
	cables  []*cable
	notes   []string // what the reader of the table must know
}

func newLab(ctx context.Context, o options) (*lab, error) {
	account, err := user.Current()
	if err != nil {
		return nil, err
	}
	base := os.TempDir()
	if strings.HasPrefix(base+"/", account.HomeDir+"/") {
		base = "/tmp" // a directory below the home would be hidden by the empty one
	}
	dir, err := os.MkdirTemp(base, "minissh-bench-")
	if err != nil {
		return nil, err
	}
	l := &lab{ctx: ctx, o: o, dir: dir, user: account, key: filepath.Join(dir, "key")}
	if err := l.furnish(); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// furnish makes the directories and keys and finds out whether daemons can have a home of their
// own.
func (l *lab) furnish() error {
	for _, d := range []string{"bin", "home", "home/.ssh", "client"} {
		if err := os.Mkdir(l.path(d), 0o700); err != nil {
			return err
		}
	}
	key, _, err1 := keys.HostKey(l.key)
	_, _, err2 := keys.HostKey(l.path("host"))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	line := ssh.MarshalAuthorizedKey(key.Public)
	if err := errors.Join(os.WriteFile(l.key+".pub", line, 0o600),
		os.WriteFile(l.authorizedKeys(), line, 0o600)); err != nil {
		return err
	}
	probe := exec.CommandContext(l.ctx, "true")
	l.hideHome(probe)
	if err := probe.Run(); err != nil {
		l.notes = append(l.notes,
			"no mount namespace here (root has one): dropbear is not measured, and sshd and "+
				"minisshd get HOME by their configuration")
	} else {
		l.private = true
	}
	return nil
}

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

// authorizedKeys is where all daemons find the client's key; with a private home it is also
// ~/.ssh/authorized_keys.
func (l *lab) authorizedKeys() string { return l.path("home/.ssh/authorized_keys") }

func (l *lab) progress(format string, args ...any) {
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprintf(os.Stderr, "… "+format+"\n", args...)
	}
}

// hideHome rewrites cmd so that it runs, with the same process id, where the account's home is the
// lab's empty one.
func (l *lab) hideHome(cmd *exec.Cmd) {
	const script = `mount --bind "$1" "$2" && shift 2 && exec "$@"`
	cmd.Args = slices.Concat([]string{"sh", "-c", script, "sh", l.path("home"), l.user.HomeDir,
		cmd.Path}, cmd.Args[1:])
	cmd.Path = "/bin/sh"
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
}

// environment is the same for all clients and daemons: no agent, no configuration, no terminal's
// name.
func (l *lab) environment(home string) []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + home,
		"USER=" + l.user.Username, "LOGNAME=" + l.user.Username, "SHELL=/bin/sh", "LANG=C.UTF-8"}
}

// client prepares a client's process; it dies with ctx, has no controlling terminal to ask
// questions on, and reads /dev/null unless told otherwise.
func (l *lab) client(ctx context.Context, argv []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = l.environment(l.path("client"))
	cmd.Dir = l.path("client")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// daemon starts a daemon here.
func (l *lab) daemon(argv ...string) (*exec.Cmd, string, error) { return l.daemonAt(here, argv...) }

// daemonAt starts argv in the daemons' home and returns its process and the file that takes all it
// prints: a file, since whoever read a pipe would be woken by each line, on the processors and in
// the time that are being measured. The lab ends the daemon.
func (l *lab) daemonAt(at place, argv ...string) (*exec.Cmd, string, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	home := l.path("home")
	if l.private {
		l.hideHome(cmd)
		home = l.user.HomeDir
	} else {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = true
	cmd.Env, cmd.Dir = l.environment(home), "/"
	printed := l.path(fmt.Sprintf("daemon%d.log", len(l.daemons)))
	w, err := os.Create(printed)
	if err != nil {
		return nil, "", err
	}
	defer w.Close()
	cmd.Stdout, cmd.Stderr = w, w
	if err := at.do(cmd.Start); err != nil {
		return nil, "", err
	}
	l.daemons, l.printed = append(l.daemons, cmd), append(l.printed, printed)
	return cmd, printed, nil
}

// far returns the address of a relay to p with the run's delay each way; all relays end with the
// lab.
func (l *lab) far(p *peer) (string, error) {
	if p.relayed == "" {
		r, err := wire.Listen(p.address, func(int) wire.Fate {
			return wire.Fate{Delay: l.o.delay}
		})
		if err != nil {
			return "", err
		}
		l.relays = append(l.relays, r)
		p.relayed = r.Address()
	}
	return p.relayed, nil
}

// close ends every daemon by its process id, last started first, and removes the directory.
func (l *lab) close() {
	for _, r := range l.relays {
		r.Close()
	}
	for _, cmd := range slices.Backward(l.daemons) {
		endProcess(cmd)
	}
	for _, c := range l.cables {
		c.close()
	}
	if l.o.verbose {
		l.show()
	}
	if err := os.RemoveAll(l.dir); err != nil {
		fmt.Fprintln(os.Stderr, "bench: left behind:", err)
	}
}

// show prints what the daemons printed, escaped.
func (l *lab) show() {
	for _, name := range l.printed {
		text, err := os.ReadFile(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
		for line := range strings.Lines(string(text)) {
			fmt.Fprintf(os.Stderr, "  | %q\n", strings.TrimSuffix(line, "\n"))
		}
	}
}

// endProcess asks cmd to end and kills it after three seconds.
func endProcess(cmd *exec.Cmd) {
	killer := time.AfterFunc(3*time.Second, func() { _ = cmd.Process.Kill() })
	defer killer.Stop()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil &&
		!errors.Is(err, os.ErrProcessDone) {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	_ = cmd.Wait() // its exit status after our signal says nothing
}
