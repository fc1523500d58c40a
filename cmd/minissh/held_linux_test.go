package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"minissh/protocol/testend"
)

// talkative is a client that shows messages.
func (h *minisshHere) talkative() *minisshHere {
	h.args = slices.DeleteFunc(slices.Clone(h.args), func(arg string) bool { return arg == "-q" })
	return h
}

// job reads the process id that a remote command prints of what it leaves running, and ends that
// process with the test.
func (p *onPTY) job() string {
	p.t.Helper()
	job := p.matches(`job:(\d+):`)[1]
	pid, _ := strconv.Atoi(job)
	p.t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
	return job
}

// Once the command has ended, and only what it left running holds its output, one Ctrl-C leaves
// with the command's own code, as the message says. The job lives on, even if the daemon can no
// longer answer.
func TestCtrlCLeavesWhatIsHeld(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		code int
		then func(*minisshHere)
	}{
		"a success": {[]string{"127.0.0.1", "sleep 1000 & echo job:$!:"}, 0, nil},
		"a failure": {[]string{"127.0.0.1", "sleep 1000 & echo job:$!:; exit 7"}, 7,
			nil},
		"the daemon is stopped": {[]string{"127.0.0.1", "sleep 1000 & echo job:$!:; exit 7"}, 7,
			func(h *minisshHere) { h.daemon.Process.Signal(syscall.SIGSTOP) }},
		"without standard input": {[]string{"-n", "127.0.0.1", "sleep 1000 & echo job:$!:; exit 3"},
			3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startMinisshHere(t).talkative()
			p := h.start(test.args...)
			job := p.job()
			p.shows("Ctrl-C ends minissh and leaves that running")
			if test.then != nil {
				test.then(h)
				defer h.daemon.Process.Signal(syscall.SIGCONT)
			}
			p.types("\x03")
			if code := p.ends(); code != test.code {
				t.Errorf("exit code %d instead of %d", code, test.code)
			}
			h.daemon.Process.Signal(syscall.SIGCONT)
			testend.Until(t, "the daemon's word that the command is over", func() bool {
				log, _ := os.ReadFile(h.log)
				// after that of startMinisshHere
				return bytes.Count(log, []byte("Command ended")) == 2
			})
			if !alive(job) {
				t.Error("the job died")
			}
		})
	}
}

// Before the command's end Ctrl-C interrupts it as usual, and a second one kills a command that
// ignores it, with what it started.
func TestCtrlCInterrupts(t *testing.T) {
	t.Parallel()
	needsProgram(t, "dash") // bash loses an INT that comes when a program ends, or begins by exec
	h := startMinisshHere(t).talkative()
	p := h.start("127.0.0.1",
		`exec dash -c 'dash -c "trap \"\" INT; echo job:\$\$:; exec sleep 1000" & sed -u s/^/got:/'`)
	job := p.job() // which says when INT no longer reaches it
	p.types("hello\r")
	p.shows("got:hello") // a shell's child loses an INT that comes before it is its program
	p.types("\x03")
	p.shows("Ctrl-C ends minissh and leaves that running")
	p.types("\x03")
	if code := p.ends(); code != 130 || !alive(job) {
		t.Errorf("exit code %d, the job lives: %v", code, alive(job))
	}
	q := h.start("127.0.0.1", "exec dash -c 'trap \"echo caught\" INT; sleep 1000 & echo "+
		"job:$!:; while :; do sleep 0.01; done'")
	job = q.job()
	q.types("\x03")
	q.shows("caught")
	q.types("\x03")
	if code := q.ends(); code != 137 {
		t.Errorf("exit code %d after the second Ctrl-C", code)
	}
	testend.Until(t, "the end of all that was started", func() bool { return !alive(job) })
}

// In the prompt a line that ends in & does not block the next one: its shell has ended. What it
// left running lives on, even after the prompt, and its output is shown.
func TestPromptGoesOn(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t).talkative()
	fifo := filepath.Join(h.dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	h.args = append([]string{h.args[0], "prompt"}, h.args[1:]...)
	p := h.start("127.0.0.1")
	p.shows("help says what you can type")
	p.types("cd /; sleep 1000 & echo job:$!:\r")
	job := p.job()
	p.types("(read x <" + fifo + "; echo got:$x:) & sleep 0\r")
	p.types("echo here:$PWD:\r")
	p.shows("here:/:") // the second line was in the first one's directory, and neither blocks
	p.types("echo ty")
	p.shows("echo ty")
	if err := os.WriteFile(fifo, []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.shows("got:hello:")
	p.types("\x03echo the\"\"end\r")
	p.shows("theend")
	p.types("exit 5\r")
	if code := p.ends(); code != 5 || !p.restored() {
		t.Errorf("exit code %d, the terminal is restored: %v", code, p.restored())
	}
	if !alive(job) {
		t.Error("the job died")
	}
}

// Lines from a pipe go on as well.
func TestPromptGoesOnFromAPipe(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t)
	cmd := exec.Command(h.args[0], append(append([]string{"prompt"}, h.args[1:]...),
		"127.0.0.1")...)
	cmd.Stdin = strings.NewReader("sleep 1000 & echo $!\necho next; exit 3\n")
	out, err := cmd.Output()
	if lines := strings.Fields(string(out)); len(lines) != 2 || lines[1] != "next" ||
		cmd.ProcessState.ExitCode() != 3 {
		t.Fatalf("%q, %v", out, err)
	}
	job, _ := strconv.Atoi(strings.Fields(string(out))[0])
	defer syscall.Kill(job, syscall.SIGKILL)
	if !alive(strconv.Itoa(job)) {
		t.Error("the job died")
	}
}
