package main

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// jobsHere is a job of an interactive shell on a terminal there, and clients for it.
type jobsHere struct {
	*minisshHere
	name string
}

// startJob starts a job with a terminal.
func startJob(t *testing.T, line string) *jobsHere {
	t.Helper()
	h := startMinisshHere(t)
	h.args = talkative(h.args) // messages are looked at
	j := &jobsHere{h, "job-" + filepath.Base(h.dir)}
	j.does("--detach", "--name", j.name, "-t", "127.0.0.1", line)
	t.Cleanup(func() {
		j.does("job", "stop", "127.0.0.1", j.name)
		j.does("job", "remove", "127.0.0.1", j.name)
	})
	return j
}

// command is a command line of minissh, with a verb and words before the options.
func (j *jobsHere) command(words ...string) []string {
	at := slices.Index(words, "127.0.0.1")
	return slices.Concat(j.args[:1], words[:at], j.args[1:], words[at:])
}

// does runs minissh, which must not fail.
func (j *jobsHere) does(words ...string) string {
	j.t.Helper()
	argv := j.command(words...)
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		j.t.Errorf("%q: %v\n%s", words, err, out)
	}
	return string(out)
}

// attach goes to the job on a new terminal.
func (j *jobsHere) attach(flags ...string) *onPTY {
	j.t.Helper()
	there := *j.minisshHere
	there.args = j.command(slices.Concat([]string{"job", "attach"}, flags,
		[]string{"127.0.0.1", j.name})...)
	return there.start()
}

// A job with a terminal is like a shell: keys go there, the terminal is raw, ~? tells what ~. does,
// and that detaches and says how to come back. Who comes back sees the screen as it is, in the size
// of the window, and the exit code is the job's.
func TestJobOnTerminal(t *testing.T) {
	t.Parallel()
	j := startJob(t, "exec bash --norc --noediting -i")
	p := j.attach()
	p.types("x=remembered; echo first:$((6*7))\r")
	p.shows("first:42")
	if p.restored() {
		t.Error("the terminal is not in raw mode while the job is shown")
	}
	p.types("\r~?")
	p.shows("detach: the job goes on")
	p.types("\r~.")
	if code := p.ends(); code != 255 || !p.restored() {
		t.Errorf("exit code %d, the terminal is as it was: %v", code, p.restored())
	}
	p.shows("minissh: detached from job " + j.name + " on 127.0.0.1, which goes on\r\n")
	p.shows("minissh: hint: minissh job attach ")

	p = j.attach()
	p.shows("first:42") // the screen as it is
	pty.Setsize(p.master, &pty.Winsize{Rows: 40, Cols: 132})
	p.types("until stty size | grep '40 132'; do sleep 0.02; done; echo back:$x; exit 9\r")
	p.shows("back:remembered")
	if code := p.ends(); code != 9 || !p.restored() {
		t.Errorf("exit code %d, the terminal is as it was: %v", code, p.restored())
	}
}

// Who attaches takes the job over, and the other is told; with --share both see it, and who only
// watches stays and types nothing.
func TestJobTakenOver(t *testing.T) {
	t.Parallel()
	j := startJob(t, "exec bash --norc --noediting -i")
	watcher := j.attach("--watch")
	first := j.attach()
	first.types("echo one:$((6*7))\r")
	first.shows("one:42")
	second := j.attach()
	if code := first.ends(); code != 255 || !first.restored() {
		t.Errorf("exit code %d", code)
	}
	first.shows("another client has taken job " + j.name + " on 127.0.0.1 over; it goes on")
	first.shows("minissh: hint: minissh job attach --share ")
	third := j.attach("--share")
	third.types("echo three:$((6*8))\r")
	third.shows("three:48")
	second.shows("three:48")
	watcher.types("echo watch:$((6*9))\r")
	watcher.shows("three:48")
	second.types("exit 4\r")
	for who, p := range map[string]*onPTY{"second": second, "third": third, "watcher": watcher} {
		if code := p.ends(); code != 4 || strings.Contains(p.text(), "watch:54") || !p.restored() {
			t.Errorf("%s: exit code %d, %q", who, code, p.text())
		}
	}
}

// Ctrl-C on a terminal reaches a job that has none, and the second one detaches.
func TestJobInterrupted(t *testing.T) {
	t.Parallel()
	j := startJob(t, "true")
	j.does("job", "stop", "127.0.0.1", j.name)
	j.does("job", "remove", "127.0.0.1", j.name)
	j.does("--detach", "--name", j.name, "127.0.0.1",
		"trap 'echo caught' INT; echo ready; while :; do sleep 0.02; done")
	p := j.attach()
	p.shows("ready")
	p.types("\x03")
	p.shows("caught")
	p.types("\x03")
	if code := p.ends(); code != 130 {
		t.Errorf("exit code %d", code)
	}
	p.shows("detached from job " + j.name)
	if list := j.does("job", "list", "127.0.0.1"); !strings.Contains(list, j.name+"  running") {
		t.Errorf("%s", list)
	}
}
