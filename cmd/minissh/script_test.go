//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"

	"minissh/daemon/process"
	"minissh/protocol/keys"
	"minissh/protocol/testend"
)

// The scripts in testdata/script drive the real programs, one behaviour each (as OpenSSH's regress/
// does). Beside testscript's own commands they have:
//
//	key FILE                     make an ed25519 key pair, FILE and FILE.pub
//	authorize FILE [OPTIONS]     add FILE.pub to authorized_keys, after OPTIONS
//	daemon [--fails] [ARGS…]     start minisshd on loopback; sets $port; its log is daemon.log
//	signal-daemon NAME           send a signal to it;  wait-daemon  wait for its end
//	wait-gone PID-FILE           wait until no process has that id
func TestScripts(t *testing.T) {
	// where TestMain removes what testscript leaves if -run names some of the scripts
	t.Setenv("GOTMPDIR", filepath.Dir(minisshd))
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"key": key, "authorize": authorize, "daemon": startDaemon,
			"signal-daemon": signalDaemon, "wait-daemon": waitDaemon,
			"wait-gone": waitGone,
		},
		Condition: func(name string) (bool, error) {
			if name == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("no condition is called %q", name)
		},
	})
}

var minisshd string

func TestMain(m *testing.M) {
	process.BeHelper()
	// `minissh try`, run by a script, starts itself: this test binary
	if len(os.Args) == 2 && os.Args[1] == tryDaemonVerb {
		os.Exit(tryDaemon())
	}
	var dir string
	if filepath.Base(os.Args[0]) != "minissh" { // the test itself, not a minissh that a script runs
		dir = buildDaemon()
	}
	testscript.Main(cleanup{m, dir}, map[string]func(){"minissh": main})
}

// buildDaemon builds minisshd, with the race detector if the test has it.
func buildDaemon() (dir string) {
	dir, err := os.MkdirTemp("", "minissh-test")
	if err != nil {
		panic(err)
	}
	minisshd = filepath.Join(dir, "minisshd")
	args := []string{"build", "-o", minisshd}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-race" && s.Value == "true" {
				args = append(args, "-race")
			}
		}
	}
	if out, err := exec.Command("go",
		append(args, "minissh/cmd/minisshd")...).CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v\n%s", err, out))
	}
	return dir
}

type cleanup struct {
	m   *testing.M
	dir string
}

func (c cleanup) Run() int {
	defer os.RemoveAll(c.dir)
	return c.m.Run()
}

func setup(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	if err := os.MkdirAll(filepath.Join(home, ".ssh"), 0o700); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	env.Setenv("XDG_STATE_HOME", filepath.Join(home, ".local/state"))
	env.Setenv("SSH_AUTH_SOCK", "")
	env.Setenv("minisshd", minisshd)
	return nil
}

func key(ts *testscript.TestScript, neg bool, args []string) {
	id, _, err := keys.HostKey(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0])+".pub", ssh.MarshalAuthorizedKey(id.Public), 0o644))
}

func authorize(ts *testscript.TestScript, neg bool, args []string) {
	line, err := os.ReadFile(ts.MkAbs(args[0]) + ".pub")
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs("authorized_keys"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer f.Close()
	_, err = fmt.Fprintf(f, "%s %s", strings.Join(args[1:], " "), line)
	ts.Check(err)
}

// running is the daemon of one script.
type running struct {
	cmd  *exec.Cmd
	done chan struct{}
}

var port = regexp.MustCompile(`127\.0\.0\.1:(\d+)`)

func startDaemon(ts *testscript.TestScript, neg bool, args []string) {
	for _, usual := range [][]string{
		{"--control", "none"}, {"--host-key", ts.MkAbs("host_key")}, {"--authorized-keys", ts.MkAbs("authorized_keys")}, {"--listen", "127.0.0.1:0"},
	} {
		if !slices.Contains(args, usual[0]) {
			args = append(args, usual...)
		}
	}
	log, err := os.Create(ts.MkAbs("daemon.log"))
	ts.Check(err)
	defer log.Close()
	cmd := exec.Command(minisshd, args...)
	cmd.Dir, cmd.Stderr = ts.MkAbs("."), log
	cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"))
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	r := &running{cmd: cmd, done: make(chan struct{})}
	ts.Setenv("daemon_pid", fmt.Sprint(cmd.Process.Pid))
	line, _ := bufio.NewReader(out).ReadBytes('\n')
	go func() { cmd.Wait(); close(r.done) }()
	daemons.Store(ts.MkAbs("."), r)
	ts.Defer(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Process.Signal(syscall.SIGTERM)
		<-r.done
	})
	if started := bytes.Contains(line, []byte("listening on")); started == neg {
		text, _ := os.ReadFile(ts.MkAbs("daemon.log"))
		ts.Fatalf("minisshd: %s%s", line, text)
	}
	if m := port.FindSubmatch(line); m != nil {
		ts.Setenv("port", string(m[1]))
	}
	ts.Check(os.WriteFile(ts.MkAbs("ready"), line, 0o644))
}

// daemons holds a *running by the script's work directory; scripts run at once.
var daemons sync.Map

func daemonOf(ts *testscript.TestScript) *running {
	r, _ := daemons.Load(ts.MkAbs("."))
	return r.(*running)
}

func signalDaemon(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(daemonOf(ts).cmd.Process.Signal(map[string]syscall.Signal{"TERM": syscall.SIGTERM,
		"HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL}[args[0]]))
}

func waitDaemon(ts *testscript.TestScript, neg bool, args []string) { <-daemonOf(ts).done }

func waitGone(ts *testscript.TestScript, neg bool, args []string) {
	text, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	again := time.NewTicker(5 * time.Millisecond) // a foreign process gives no event to wait for
	defer again.Stop()
	for _, pid := range strings.Fields(string(text)) {
		for alive(pid) {
			<-again.C
		}
	}
}

func alive(pid string) bool {
	n, err := strconv.Atoi(pid)
	return err == nil && testend.Alive(n)
}
