package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minissh/daemon"
	"minissh/daemon/access"
	"minissh/daemon/process"
	"minissh/protocol/keys"
)

// promptOf shows the prompt, before a daemon that serves this account with another login shell.
func promptOf(t *testing.T, shell string) *screen {
	t.Helper()
	program, err := builtMinissh()
	must(t, err)
	dir, err := os.MkdirTemp("", "t") // a socket's path is short
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	host, err := keys.Generate()
	must(t, err)
	account, err := process.CurrentAccount()
	must(t, err)
	account.Shell, account.Home = shell, dir
	server, err := daemon.New(daemon.Options{
		Rules:   access.Rules{Account: account, Access: onlyGuest{host.Public, account.Name}},
		HostKey: host, Software: "test/1", StopGrace: 20 * time.Millisecond,
	})
	must(t, err)
	must(t, server.Listen("unix:"+filepath.Join(dir, "daemon")))
	served := make(chan struct{})
	go func() { defer close(served); server.Serve() }()
	t.Cleanup(func() {
		server.Shutdown(t.Context())
		<-served
	})
	h := &minisshHere{t: t, dir: dir}
	return h.screenOf(program, "prompt", "-F", "none", "unix:"+filepath.Join(dir, "daemon"))
}

// The prompt is the same whatever the login shell is: state lasts, rows belong together, jobs can
// be stopped, and what wants a terminal gets one.
func TestPromptOfEachShell(t *testing.T) {
	for _, shell := range []string{"zsh", "dash", "fish"} {
		t.Run(shell, func(t *testing.T) {
			needsProgram(t, "vim", "less", shell)
			path, err := exec.LookPath(shell)
			must(t, err)
			s := promptOf(t, path)
			s.shows(`[#$%>] ?$`)
			enters := func(line string) { s.types(line, "Enter") }
			fish := shell == "fish"
			// each is what is typed, and what fish wants instead
			pick := func(posix, inFish string) string {
				if fish {
					return inFish
				}
				return posix
			}
			enters(pick("x=5; y=6; f() { echo f:$1; }",
				"set x 5; set y 6; function f; echo f:$argv; end"))
			enters("cd /usr; false")
			enters(pick("echo status $?, $x$y in $PWD", "echo status $status, $x$y in $PWD"))
			s.shows(`^status 1, 56 in /usr$`)
			enters("f yes; cd -; pwd")
			s.shows(`^f:yes$`)
			enters(pick("for i in 1 2; do", "for i in 1 2"))
			s.shows(`^> ?$`)
			enters("echo round $i")
			enters(pick("done", "end"))
			s.shows(`^round 1\nround 2$`)
			enters("echo 'two")
			s.shows(`^> ?$`)
			enters("rows'")
			s.shows(`^two\nrows$`)
			s.types("", "C-l")

			enters("echo up$x; sleep 1000") // what it says comes when it runs
			s.shows(`^up5$`)
			s.types("", "C-c")
			s.shows(`\[exit 130`)
			enters("sleep 1001 &")
			enters("jobs")
			s.shows(`(?i)(running|&).*sleep 1001|sleep 1001.*running`)
			enters("kill %" + pick("%", "1")) // in zsh, the first job is not 1
			s.types("", "C-l")
			enters("echo again$x; sleep 1002")
			s.shows(`^again5$`)
			s.types("", "C-z")
			s.shows(`(?i)(stopped|suspended).*sleep 1002|sleep 1002.*has stopped`)
			enters("fg")
			s.shows(`fg\n.*sleep 1002`)
			s.types("", "C-c")
			s.until("the prompt", func(now string) bool { // what is typed earlier does not count
				_, after, found := strings.Cut(now, "# fg\n")
				return found && strings.HasSuffix(strings.TrimRight(after, " \n"), "#")
			})
			s.types("", "C-l")

			enters("vim -u NONE -N -n file")
			s.shows(`^~`)
			s.types("ihello from vim", "Escape")
			enters(":wq")
			s.shows(`[#$%>] ?$`)
			s.types("cat fil", "Tab")
			s.shows(`cat file ?$`)
			s.types("", "Enter")
			s.shows(`^hello from vim$`)
			enters("seq 500 | less")
			s.shows(`^:`)
			s.types("q")
			s.shows(`[#$%>] ?$`)
			enters("echo $x$y")
			s.shows(`^56$`)
			enters("exit 7")
			s.shows(`^ended:7`)
		})
	}
}
