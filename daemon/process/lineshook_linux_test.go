package process

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"minissh/protocol/testend"
)

// hooks are what users have their shells do beside a line; %s is a command. bash's trap for DEBUG
// is not among them, since it runs before each of our own commands too, nor fish_preexec: on a busy
// machine they may take several interrupts.
var hooks = map[string][]string{
	"bash": {"export PROMPT_COMMAND=\"%s\""},
	"zsh": {"precmd() { %s; }", "preexec() { %s; }", "f() { %s; }; precmd_functions+=(f)",
		"TRAPDEBUG() { %s; }", "trap \"%s\" DEBUG"},
	"fish": {"function h --on-event fish_prompt; %s; end",
		"function h --on-event fish_postexec; %s; end"},
}

// A hook that hangs is ended by an interrupt, before a line or after it, and the shell goes on.
func TestLinesBesideAHookThatHangs(t *testing.T) {
	for name, lines := range hooks {
		for n, hook := range lines {
			t.Run(fmt.Sprint(name, " ", n), func(t *testing.T) {
				path, err := exec.LookPath(name)
				if err != nil {
					t.Skip("not run: needs ", name)
				}
				home := t.TempDir()
				if err := os.WriteFile(filepath.Join(home, "hangs"),
					[]byte("#!/bin/sh\necho $$ >>runs\nexec sleep 1000\n"), 0o755); err != nil {
					t.Fatal(err)
				}
				s := tellShellAt(t, path, home, true)
				s.tell("cd .", PlainLine)
				// hangs is the process of a hook that runs; 0: none does.
				hangs := func() (pid int) {
					text, _ := os.ReadFile(filepath.Join(home, "runs"))
					last := bytes.LastIndexByte(bytes.TrimSpace(text), '\n') + 1
					fmt.Sscan(string(text[last:]), &pid)
					if command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); pid == 0 ||
						len(command) == 0 { // it has ended
						return 0
					}
					return pid
				}
				// through tells a line, and interrupts a hook that holds it up, which may have
				// begun before the line, and each once.
				through := func(text string) string {
					line, got := s.begin(text)
					for interrupts, held := 1, 0; !over(line); interrupts++ {
						testend.Until(t, text+": an end, or the hook", func() bool {
							pid := hangs()
							return over(line) || pid != 0 && pid != held
						})
						held = hangs()
						if line.Signal("INT"); interrupts > 3 {
							t.Fatalf("%q: it hangs", text)
						}
						if name != "bash" || interrupts > 1 {
							s.wait(line, text)
						}
					}
					if line.End().ShellEnded {
						t.Errorf("%q: %+v, %q", text, line.End(), got.of(2))
					}
					return got.of(1)
				}
				through(fmt.Sprintf(hook, "./hangs"))
				through("echo mine")
				if name == "fish" {
					return // it has the hook, which a line can take out
				}
				// one that ended at the interrupt itself is taken out when it hangs again
				for said, tries := "", 1; said != "on\n"; tries++ {
					if said = through("echo on"); tries > 3 {
						t.Fatalf("%q", said)
					}
				}
			})
		}
	}
}

// Ctrl-C that is typed on the terminal for a line that a hook holds up is for the hook.
func TestTerminalLineBesideAHookThatHangs(t *testing.T) {
	s := tellShell(t, "bash", true)
	_, got := s.tell("echo $HOME; PROMPT_COMMAND='sh -c \"echo >runs; exec sleep 1000\"'",
		PlainLine)
	file := filepath.Join(strings.TrimSpace(got.of(1)), "runs")
	testend.Until(t, "the hook runs", func() bool {
		text, _ := os.ReadFile(file)
		return len(text) > 0
	})
	line, err := s.Begin(t.Context(), TerminalLine, nil, []byte("echo mine"), got.put)
	if err != nil {
		t.Fatal(err)
	}
	line.Typed([]byte("a\x03"))
	if end := s.wait(line, "held up"); end.Code != interruptedCode || end.ShellEnded {
		t.Errorf("%+v", end)
	}
	if _, got := s.tell("echo on", PlainLine); got.of(1) != "on\n" {
		t.Errorf("%q, %q", got.of(1), got.of(2))
	}
}

func over(line *Line) bool {
	select {
	case <-line.Ended:
		return true
	default:
		return false
	}
}

// The prompts of a shell are not the user's to change: the report of a line comes all the same.
func TestLinesWithAPromptOfTheUsers(t *testing.T) {
	for name, lines := range map[string][]string{
		"bash": {"PS1='$(echo a)'", "readonly PS1=a PS2=b", "readonly PROMPT_COMMAND="},
		"dash": {"PS1='$(echo a)'", "readonly PS1=a"}, "zsh": {"PS1=a", "typeset -r PS1=a"},
		"fish": {"function fish_prompt; echo a; end", "functions -e fish_prompt"},
	} {
		t.Run(name, func(t *testing.T) {
			s := tellShell(t, name, true)
			for _, text := range append(lines, "echo on") {
				end, got := s.tell(text, PlainLine)
				if end.ShellEnded || text == "echo on" && !strings.Contains(got.of(1), "on\n") {
					t.Errorf("%q: %+v, %q, %q", text, end, got.of(1), got.of(2))
				}
			}
		})
	}
}
