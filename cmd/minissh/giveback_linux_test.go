package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"minissh/protocol/testend"
)

// flags are what tmux knows of the modes of a terminal.
const flags = "alternate=#{alternate_on} mouse=#{mouse_any_flag} cursor=#{cursor_flag} " +
	"arrows=#{keypad_cursor_flag} keypad=#{keypad_flag} insert=#{insert_flag} " +
	"wrap=#{wrap_flag} region=#{scroll_region_upper}-#{scroll_region_lower}"

func (s *screen) flags() string {
	s.t.Helper()
	return strings.TrimSpace(s.tmux("display-message", "-p", flags))
}

// client is the process of the client on the screen.
func (s *screen) client() *os.Process {
	s.t.Helper()
	shell := strings.TrimSpace(s.tmux("display-message", "-p", "#{pane_pid}"))
	children, err := os.ReadFile("/proc/" + shell + "/task/" + shell + "/children")
	if err != nil {
		s.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(children)))
	if err != nil {
		s.t.Fatalf("the children of %s are %q", shell, children)
	}
	p, _ := os.FindProcess(pid)
	return p
}

// However a session in a full-screen program is cut off, the terminal is restored: what the program
// switched on is off, and the earlier screen is shown.
func TestTerminalGivenBackWhole(t *testing.T) {
	t.Parallel()
	lost := func(h *minisshHere, _ *screen) { h.daemon.Process.Kill() }
	for _, test := range []struct {
		name, program, command, shows string
		on                            []string // among the flags, while it runs
		end                           func(*minisshHere, *screen)
		code                          string
	}{
		{"vim, link lost", "vim", "exec vim -u NONE -N -n -c 'set mouse=a ttymouse=sgr' FILE", `^~`, []string{"alternate=1", "mouse=1"}, lost, "255"},
		{"vim, ~.", "vim", "exec vim -u NONE -N -n -c 'set mouse=a ttymouse=sgr' FILE", `^~`, []string{"alternate=1", "mouse=1"},
			func(_ *minisshHere, s *screen) { s.types("", "Enter"); s.types("~.") }, "255"},
		{"vim, SIGTERM", "vim", "exec vim -u NONE -N -n FILE", `^~`, []string{"alternate=1"},
			func(_ *minisshHere, s *screen) { s.client().Signal(syscall.SIGTERM) }, "143"},
		{"vim, SIGHUP", "vim", "exec vim -u NONE -N -n FILE", `^~`, []string{"alternate=1"},
			func(_ *minisshHere, s *screen) { s.client().Signal(syscall.SIGHUP) }, "129"},
		{"vim, killed there", "vim", "echo $$ >FILE.pid; exec vim -u NONE -N -n FILE", `^~`, []string{"alternate=1"},
			func(h *minisshHere, s *screen) {
				text, _ := os.ReadFile(filepath.Join(h.dir, "text.pid"))
				pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
				syscall.Kill(pid, syscall.SIGKILL)
			}, "137"},
		{"less, link lost", "less", "seq 300 | less", `^23$`, []string{"alternate=1"}, lost, "255"},
		{"top, link lost", "top", "exec top -d 1", `PID +USER`, nil, lost, "255"},
		{"htop, link lost", "htop", "exec htop", `PID`, []string{"alternate=1", "mouse=1"}, lost, "255"},
		{"everything, link lost", "bash",
			`printf '\033[?1049h\033[?1003h\033[?1006h\033[?25l\033[?1h\033=\033[4h\033[?7l\033[5;10r\033[31mready'; exec sleep 1000`, `ready`,
			[]string{"alternate=1", "mouse=1", "cursor=0", "arrows=1", "keypad=1", "insert=1",
				"wrap=0", "region=4-9"}, lost, "255"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			needsProgram(t, test.program)
			h := startMinisshHere(t)
			words := []string{"-t", "127.0.0.1"}
			if strings.HasSuffix(test.name, "link lost") { // or it would wait for another one
				words = append([]string{"-o", "ResumeFor=0"}, words...)
			}
			s := h.screen(append(words,
				strings.ReplaceAll(test.command, "FILE", filepath.Join(h.dir, "text")))...)
			s.shows(test.shows)
			testend.Until(t, "the program's own modes", func() bool {
				now := " " + s.flags() + " "
				for _, flag := range test.on {
					if !strings.Contains(now, " "+flag+" ") {
						return false
					}
				}
				return true
			})
			test.end(h, s)
			s.shows(`^ended:` + test.code)
			const whole = "alternate=0 mouse=0 cursor=1 arrows=0 keypad=0 insert=0 wrap=1 " +
				"region=0-23"
			if now := s.flags(); now != whole {
				t.Errorf("the terminal is left with\n%s instead of\n%s", now, whole)
			}
		})
	}
}

// What a command switches on before it ends by itself stays on, as in ssh: perhaps that was its
// purpose.
func TestModesAreACommandsOwn(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t)
	s := h.screen("-t", "127.0.0.1", `printf '\033[?25lready'; exit 3`)
	s.shows(`ready`)
	s.shows(`ended:3`)
	if now := s.flags(); !strings.Contains(now, "cursor=0") {
		t.Errorf("the terminal is left with %s", now)
	}
}

// Every escape that ~? lists does what it says: ~~, ~C and ~# here, ~. and ~^Z in
// TestTerminalRestored and TestSuspended, ~d in TestDetachShell.
func TestEscapesThatAreListed(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t)
	p := h.start("-t", "127.0.0.1", "stty -echo; echo ready; exec cat")
	p.shows("ready")
	p.types("\r~?")
	p.shows("immediately after newline")
	_, list, _ := strings.Cut(p.text(), "sequences:")
	var escapes []string
	for line := range strings.Lines(list) {
		if name, _, found := strings.Cut(line, " - "); found {
			escapes = append(escapes, strings.TrimSpace(name))
		}
	}
	if got := strings.Join(escapes, " "); got != "~. ~d ~C ~# ~^Z ~? ~~" {
		t.Errorf("listed are %s", got)
	}
	socket := filepath.Join(t.TempDir(), "s")
	p.types("~C-L" + socket + ":127.0.0.1:1\r")
	p.shows("Forwarding port.")
	if _, err := os.Stat(socket); err != nil {
		t.Error(err)
	}
	p.types("~#")
	p.shows("Forwarded: -L " + socket + ":127.0.0.1:1")
	p.types("~C-KL" + socket + "\r")
	p.shows("Canceled forwarding.")
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Error(err)
	}
	p.types("~~tilde\r")
	p.shows("\n~tilde\r")
	p.types("\x04")
	if code := p.ends(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
