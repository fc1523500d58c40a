package main

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
)

// talkative is a client that tells people things.
func (h *minisshHere) talkative() *minisshHere {
	h.args = slices.DeleteFunc(slices.Clone(h.args), func(arg string) bool { return arg == "-q" })
	return h
}

// job reads the process id that a command there prints of what it leaves running, and ends that with the test.
func (p *onPTY) job() string {
	p.t.Helper()
	job := p.matches(`job:(\d+):`)[1]
	pid, _ := strconv.Atoi(job)
	p.t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
	return job
}

// Once the command has ended, and only what it left running holds its output, one Ctrl-C leaves with the command's own code, as the message says; the job lives, and
// so it does where the daemon cannot answer any more.
func TestCtrlCLeavesWhatIsHeld(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		code int
		then func(*minisshHere)
	}{
		"a success":              {[]string{"127.0.0.1", "sleep 1000 & echo job:$!:"}, 0, nil},
		"a failure":              {[]string{"127.0.0.1", "sleep 1000 & echo job:$!:; exit 7"}, 7, nil},
		"the daemon is stopped":  {[]string{"127.0.0.1", "sleep 1000 & echo job:$!:; exit 7"}, 7, func(h *minisshHere) { h.daemon.Process.Signal(syscall.SIGSTOP) }},
		"without standard input": {[]string{"-n", "127.0.0.1", "sleep 1000 & echo job:$!:; exit 3"}, 3, nil},
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
			eventually(t, "the daemon's word that the command is over", func() bool {
				log, _ := os.ReadFile(h.log)
				return bytes.Count(log, []byte("Command ended")) == 2 // after that of startMinisshHere
			})
			if !alive(job) {
				t.Error("the job died")
			}
		})
	}
}

// Before the command's end Ctrl-C interrupts it as ever, and a second one kills what does not want to hear it, with what it started.
func TestCtrlCInterrupts(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t).talkative()
	p := h.start("127.0.0.1", "trap 'exit 9' INT; sleep 1000 & echo job:$!:; while :; do sleep 0.01; done")
	job := p.job()
	p.types("\x03")
	p.shows("Ctrl-C ends minissh and leaves that running") // the shell has its background jobs ignore INT
	p.types("\x03")
	if code := p.ends(); code != 9 || !alive(job) {
		t.Errorf("exit code %d, the job lives: %v", code, alive(job))
	}
	q := h.start("127.0.0.1", "trap 'echo caught' INT; sleep 1000 & echo job:$!:; while :; do sleep 0.01; done")
	job = q.job()
	q.types("\x03")
	q.shows("caught")
	q.types("\x03")
	if code := q.ends(); code != 137 {
		t.Errorf("exit code %d after the second Ctrl-C", code)
	}
	eventually(t, "the end of all that was started", func() bool { return !alive(job) })
}
