package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A newcomer's hour at the prompt: whatever a person does there has no surprise for who knows bash.
func TestNewcomersHour(t *testing.T) {
	t.Parallel()
	needsProgram(t, "vim", "less")
	h := startOnWire(t)
	there, here := filepath.Join(h.dir, "there"), filepath.Join(h.dir, "here")
	for _, dir := range []string{there, here, filepath.Join(here, "tree/sub")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"one": "1\n", "tree/sub/two": "2\n"} {
		if err := os.WriteFile(filepath.Join(here, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := append([]string{h.args[0], "prompt"}, h.args[1:]...)
	s := h.screenOf(append(args, "127.0.0.1")...)
	enters := func(line string) { s.types(line, "Enter") }
	step := 0
	// sees waits for what a line shows and for the prompt, and clears the screen.
	sees := func(pattern string) {
		t.Helper()
		s.shows(pattern)
		s.shows(`# ?$`) // what is typed before would go to a line's terminal
		step++
		s.types("", "C-l")
		s.until("a clear screen", func(now string) bool { return len(strings.Fields(now)) == 1 })
	}
	s.shows(`# ?$`)
	enters("cd " + there)
	s.shows(`/there# ?$`)
	s.types("", "C-l")

	// a file
	enters("vim -u NONE -N -n file")
	s.shows(`^~`)
	s.types("ihello from vim", "Escape")
	enters(":wq")
	s.shows(`# ?$`)
	enters("cat file")
	sees(`^hello from vim$`)

	// a loop, a function and a heredoc, as they are typed
	enters("for i in 1 2 3; do")
	s.shows(`^> ?$`)
	enters("echo round $i")
	enters("done")
	sees(`^round 1\nround 2\nround 3$`)
	enters(`greet() { echo "hello, $1"; }`)
	enters("greet you")
	sees(`^hello, you$`)
	enters("cat <<END >letter")
	enters("dear $(greet all)")
	enters("END")
	enters("cat letter")
	sees(`^dear hello, all$`)
	enters("echo one \\")
	s.shows(`^> ?$`)
	enters("two")
	sees(`^one two$`)

	// the status, and what a line changes
	enters("false")
	enters("echo status $?")
	sees(`^status 1$`)
	enters("mkdir deep; cd deep")
	s.shows(`/deep# ?$`)
	enters("cd -")
	sees(`/there# ?$`)

	// jobs
	enters("sleep 1000 &")
	s.shows(`^\[1\] \d+$`)
	enters("jobs")
	s.shows(`Running +sleep 1000`)
	enters("kill %1")
	enters("sleep 0.1")
	sees(`Terminated +sleep 1000`)
	enters("sleep 1000")
	s.shows(`sleep 1000$`)
	s.types("", "C-z")
	s.shows(`Stopped +sleep 1000`)
	enters("fg")
	s.shows(`^sleep 1000$`)
	s.types("", "C-c")
	sees(`\[exit 130`)

	// files both ways
	enters("put " + here + "/one renamed")
	s.shows(`# ?$`)
	enters("cat renamed")
	sees(`^1$`)
	enters("put " + here + "/tree")
	sees(`-r was not given`)
	enters("put -r " + here + "/tree")
	s.shows(`# ?$`)
	enters("cat tree/sub/two")
	sees(`^2$`)
	enters("get letter " + here)
	s.until("the letter here", func(now string) bool {
		text, _ := os.ReadFile(filepath.Join(here, "letter"))
		now = strings.TrimRight(now, " \n")
		return string(text) == "dear hello, all\n" && strings.HasSuffix(now, "there#")
	})

	// searching and completing
	s.types("", "C-r")
	s.types("greet y")
	s.shows(`greet you`)
	s.types("", "Enter")
	sees(`^hello, you$`)
	s.types("cat lett", "Tab")
	s.shows(`cat letter ?$`)
	s.types("", "Enter")
	sees(`^dear hello, all$`)
	s.types("mkfif", "Tab")
	s.shows(`mkfifo ?$`)
	s.types("pipe; ls pipe", "Enter")
	sees(`^pipe$`)
	enters("!!")
	sees(`^pipe$`)

	// what has its own screen gets one
	enters("seq 500 | less")
	s.shows(`^:`)
	s.types("q")
	s.shows(`# ?$`)
	enters("pty read -p 'who? ' who")
	s.shows(`^who\?`)
	enters("me")
	s.shows(`# ?$`)
	enters("echo it is $who")
	sees(`^it is me$`)

	// what turns out to want one is a key away
	enters("sh -c 'test -t 0 || { echo not a tty >&2; exit 3; }; echo has one'")
	s.shows(`it wants a terminal: pty sh .*\n?.*↑ and Enter`)
	s.types("", "Up", "Enter")
	sees(`^has one$`)
	s.types("", "C-l")

	// the shell knows what became of a copy, and Tab the prompt's own words
	enters("get nothing-like-it")
	enters("echo status $?")
	sees(`^status 1$`)
	s.types("histo", "Tab")
	s.shows(`history ?$`)
	s.types("2", "Enter")
	sees(`echo status \$.\n.*history 2`)
	s.types("echo \"${who", "Tab")
	s.shows(`echo "\$\{who\}$`)
	s.types("\"", "Enter")
	sees(`^me$`)

	// a paste of 5,000 lines, which runs when Enter is pressed
	var paste strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&paste, "pasted=%d\n", i)
	}
	paste.WriteString("echo the last is $pasted")
	file := filepath.Join(h.dir, "paste")
	if err := os.WriteFile(file, []byte(paste.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s.tmux("load-buffer", file)
	s.tmux("paste-buffer", "-p")
	s.shows(`^> echo the last is \$pasted`)
	s.types("", "Enter")
	sees(`^the last is 4999$`)

	// a lost link: what is typed waits, and all goes on
	h.cut()
	s.shows(`lost .* ago; what you enter waits for it`)
	s.types("echo after the cut: $pasted $who")
	h.mend()
	s.until("no note", func(now string) bool { return !strings.Contains(now, "ago; what") })
	s.types("", "Enter")
	sees(`^after the cut: 4999 me$`)
	enters("exit 7")
	s.shows(`^ended:7`)
}
