package main

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// detachedJob finds the latest job that a client has made, and has it stopped in the end.
func (h *minisshHere) detachedJob(shown string) *jobsHere {
	h.t.Helper()
	found := regexp.MustCompile(`job ([a-z0-9]{8}) on 127\.0\.0\.1; to come back: minissh job `+
		`attach `).FindAllStringSubmatch(shown, -1)
	if found == nil {
		h.t.Fatalf("no job is told: %q", shown)
	}
	j := &jobsHere{h, found[len(found)-1][1]}
	h.t.Cleanup(func() {
		for _, verb := range []string{"stop", "remove"} {
			argv := j.command("job", verb, "127.0.0.1", j.name)
			exec.Command(argv[0], argv[1:]...).Run()
		}
	})
	return j
}

// talkative is a command line without -q.
func talkative(args []string) []string {
	at := slices.Index(args, "-q")
	return slices.Concat(args[:at], args[at+1:])
}

// ~d makes a job of what runs in a shell: vim, and a program that draws once and ignores WINCH, are
// on the next screen as they were, on one of another size too, and the outcome is theirs.
func TestDetachShell(t *testing.T) {
	t.Parallel()
	needsProgram(t, "vim")
	for name, c := range map[string]struct {
		line, shows string
		keys        string // end it
		code        string
	}{
		"vim": {"exec vim -u NONE -i NONE -c 'set ruler' -c 'normal ihello 中文 there'",
			"hello 中文 there", "\x1b:cq 5\r", "5"},
		"draws once": {`exec sh -c 'stty -echo; trap "" WINCH; ` +
			`printf "\033[?1049h\033[2J\033[5;7H\033[1;31mred 中文\033[m\033[10;3Hend"; read x; read x; exit 6'`, "end", "\r", "6"},
	} {
		t.Run(name, func(t *testing.T) {
			h := startMinisshHere(t)
			h.args = append(talkative(h.args), "-t")
			s := h.screen("127.0.0.1", c.line)
			s.shows(c.shows)
			before := s.tmux("capture-pane", "-p", "-e")
			if name == "vim" {
				s.types("", "Escape")
				before = strings.Replace(before, "-- INSERT --", "            ", 1)
			}
			s.types("", "Enter")
			s.types("~d")
			s.shows("ended:0")
			text := s.tmux("capture-pane", "-p", "-J")
			j := h.detachedJob(strings.ReplaceAll(text, "\n", ""))
			s.tmux(append([]string{"new-window", "sh", "-c", `"$@"; echo ended:$?; exec cat`, "sh"},
				j.command("job", "attach", "127.0.0.1", j.name)...)...)
			if name == "vim" {
				s.tmux("resize-window", "-x", "60", "-y", "20")
			}
			s.shows(c.shows)
			if name != "vim" {
				s.until("the same screen", func(string) bool {
					return s.tmux("capture-pane", "-p", "-e") == before
				})
			}
			s.types(c.keys)
			s.shows("ended:" + c.code)
		})
	}
}

// What cannot become a job goes on, and that is said.
func TestDetachRefused(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t)
	h.args = slices.Insert(talkative(h.args), 1, "prompt")
	p := h.start("127.0.0.1")
	p.types("pty echo $((6*7)); read x; echo got:$x\r")
	p.shows("42")
	p.types("~d")
	p.shows("cannot become a job")
	p.types("here\r")
	p.shows("got:here")
	p.types("exit\r")
}

// detach in the prompt starts a job where the lines are, and pty's own shell becomes one by ~d.
func TestDetachInPrompt(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t)
	there := *h
	there.args = slices.Insert(slices.Clone(h.args), 1, "prompt")
	p := there.start("127.0.0.1")
	p.types("cd /usr\rdetach pwd; echo $((6*7)); exit 4\r")
	p.shows("to come back:")
	j := h.detachedJob(p.text())
	argv := j.command("job", "collect", "127.0.0.1", j.name)
	out, err := exec.Command(argv[0], argv[1:]...).Output()
	exit, ok := err.(*exec.ExitError)
	if string(out) != "/usr\n42\n" || !ok || exit.ExitCode() != 4 {
		t.Errorf("%q, %v", out, err)
	}
	before := len(p.text())
	p.types("pty\r")
	p.until("the shell's own prompt", func(text string) bool {
		_, after, _ := strings.Cut(text[before:], "\x1b[?2004l")
		return strings.Contains(after, "# ") || strings.Contains(after, "$ ")
	})
	p.types("echo shell:$((6*7))\r")
	p.shows("shell:42")
	p.types("\r~d")
	p.until("which job it is", func(text string) bool {
		_, after, _ := strings.Cut(text, "detach]")
		return strings.Contains(after, "to come back:")
	})
	p.types("exit 3\r")
	if code := p.ends(); code != 3 {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	h.detachedJob(p.text())
}
