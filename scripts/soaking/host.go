//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol/keys"
	"minissh/scripts/testhost"
)

// hold is how long the daemon keeps a session without a link: longer than any outage here.
const hold = 2 * time.Minute

// endLimit is how long the daemon may take to forget all that was: the sessions of clients that
// gave up are held, from when it noticed.
const endLimit = hold + time.Minute

// host is a place with the programs, keys and a daemon.
type host struct {
	dir     string // holds all else; removed at the end
	bin     string
	address string // of the daemon
	daemon  *exec.Cmd
	ended   chan struct{} // closed when the daemon has ended
	log     string
	before  int // descriptors of the daemon when it had done nothing yet
}

// newHost makes a place and starts a daemon in it.
func newHost(ctx context.Context, o options) (h *host, err error) {
	dir, err := os.MkdirTemp("", "minissh-soak-")
	if err != nil {
		return nil, err
	}
	h = &host{dir: dir, bin: o.bin, log: filepath.Join(dir, "log"), ended: make(chan struct{})}
	defer func() {
		if err != nil {
			h.remove()
		}
	}()
	if h.bin == "" {
		h.bin = filepath.Join(dir, "bin")
		if err := testhost.Build(ctx, h.bin, o.race); err != nil {
			return h, err
		}
	}
	if err := h.furnish(); err != nil {
		return h, err
	}
	return h, h.start()
}

func (h *host) path(name string) string { return filepath.Join(h.dir, name) }

// furnish makes keys, and the known_hosts of a client for which the daemon is called box.
func (h *host) furnish() error {
	if err := os.MkdirAll(h.path("home/.ssh"), 0o700); err != nil {
		return err
	}
	login, _, err1 := keys.HostKey(h.path("home/.ssh/id_ed25519"))
	server, _, err2 := keys.HostKey(h.path("host_key"))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	return errors.Join(os.WriteFile(h.path("authorized_keys"),
		ssh.MarshalAuthorizedKey(login.Public), 0o600),
		os.WriteFile(h.path("home/.ssh/known_hosts"),
			append([]byte("box "), ssh.MarshalAuthorizedKey(server.Public)...), 0o600))
}

func (h *host) environment() []string {
	return []string{"HOME=" + h.path("home"), "PATH=" + h.bin + ":" + os.Getenv("PATH"),
		"LANG=C.UTF-8", "TMPDIR=" + h.dir, "SHELL=/bin/sh", "TERM=xterm",
		"GORACE=atexit_sleep_ms=0"}
}

var listening = regexp.MustCompile(`127\.0\.0\.1:\d+`)

func (h *host) start() error {
	log, err := os.Create(h.log)
	if err != nil {
		return err
	}
	defer log.Close()
	h.daemon = exec.Command(filepath.Join(h.bin, "minisshd"), "--control", "none", "--listen",
		"127.0.0.1:0", "--host-key", h.path("host_key"), "--authorized-keys",
		h.path("authorized_keys"), "--hold", hold.String(), "--max-sessions-per-user", "2000")
	h.daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	withoutBashrc(h.daemon)
	h.daemon.Env, h.daemon.Dir, h.daemon.Stderr = h.environment(), h.dir, log
	said, err := h.daemon.StdoutPipe()
	if err != nil {
		return err
	}
	if err := h.daemon.Start(); err != nil {
		return err
	}
	go func() { h.daemon.Wait(); close(h.ended) }()
	first := make([]byte, 4096)
	n, _ := said.Read(first)
	if h.address = string(listening.Find(first[:n])); h.address == "" {
		text, _ := os.ReadFile(h.log)
		return fmt.Errorf("minisshd does not listen: %s%s", first[:n], text)
	}
	return nil
}

// withoutBashrc hides root's own ~/.bashrc from what a daemon of root runs: bash(1) reads it for
// commands that come over a network, and what a person has in there may take long and say anything.
func withoutBashrc(daemon *exec.Cmd) {
	home, err := os.UserHomeDir()
	file := filepath.Join(home, ".bashrc")
	if _, missing := os.Stat(file); err != nil || missing != nil || os.Geteuid() != 0 {
		return
	}
	daemon.Args = append([]string{"sh", "-c", `mount --bind /dev/null "$0" && exec "$@"`, file,
		daemon.Path}, daemon.Args[1:]...)
	daemon.Path = "/bin/sh"
	daemon.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS
}

// stop ends the daemon by TERM, and says what is wrong with how it ended, and with its log.
func (h *host) stop() (faults []string) {
	select {
	case <-h.ended:
		faults = append(faults, fmt.Sprintf("the daemon had ended by itself: %v",
			h.daemon.ProcessState))
	default:
		h.daemon.Process.Signal(syscall.SIGTERM)
		select {
		case <-h.ended:
		case <-time.After(time.Minute):
			faults = append(faults, "SIGTERM did not end the daemon within a minute")
			h.daemon.Process.Kill()
			<-h.ended
		}
	}
	text, err := os.ReadFile(h.log)
	if err != nil {
		faults = append(faults, err.Error())
	}
	for _, bad := range []string{"panic", "DATA RACE", "fatal error"} {
		if at := bytes.Index(text, []byte(bad)); at >= 0 {
			faults = append(faults, fmt.Sprintf("the daemon's log has: %.2000s",
				text[max(0, at-100):]))
		}
	}
	return faults
}

func (h *host) remove() { os.RemoveAll(h.dir) }

// descriptors is how many the daemon has open.
func (h *host) descriptors() int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", h.daemon.Process.Pid))
	return len(entries)
}

// memory is what the daemon has in memory now, and at most had, in MiB.
func (h *host) memory() (now, most int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.daemon.Process.Pid))
	for line := range strings.Lines(string(text)) {
		for field, to := range map[string]*int{"VmRSS:": &now, "VmHWM:": &most} {
			if rest, is := strings.CutPrefix(line, field); is {
				kib, _ := strconv.Atoi(strings.Fields(rest)[0])
				*to = kib >> 10
			}
		}
	}
	return now, most
}

// ready are processes that a daemon of root's keeps for what comes next, and how many of each.
var ready = map[string]int{"--minissh-stage": 2, "--minissh-helper\x00keys": 2}

// processes are those that name this place on their command lines, this one, the daemon and what
// it keeps ready apart.
func (h *host) processes() (found []string) {
	kept := maps.Clone(ready)
	names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range names {
		line, _ := os.ReadFile(name)
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if pid == os.Getpid() || pid == h.daemon.Process.Pid || !bytes.Contains(line,
			[]byte(h.dir)) {
			continue
		}
		_, args, _ := strings.Cut(strings.TrimSuffix(string(line), "\x00"), "\x00")
		if kept[args] > 0 {
			kept[args]--
			continue
		}
		found = append(found, fmt.Sprintf("%d %s", pid, bytes.ReplaceAll(line, []byte{0},
			[]byte{' '})))
	}
	return found
}
