package process

import (
	"strings"
	"testing"

	"minissh/protocol"
	"minissh/protocol/testend"
)

// fish is told its lines by its terminal, and all else is as in the other shells.
func TestLinesOfFish(t *testing.T) {
	s := tellShell(t, "fish", true)
	for _, line := range []struct {
		text, out, err string
		code           int
	}{
		{"set x 5; function f; echo f $x $argv; end", "", "", 0},
		{"f 'a  b'", "f 5 a  b\n", "", 0},
		{"false", "", "", 1},
		{"echo $status", "1\n", "", 0},
		{"cd /usr", "", "", 0},
		{"pwd", "/usr\n", "", 0},
		{"for i in 1 2\necho $i\nend", "1\n2\n", "", 0},
		{"sh -c 'exit 7'", "", "", 7},
		{"cat; read y", "", "", 1},
		{"echo 'é 中文' (echo sub) | cat", "é 中文 sub\n", "", 0},
		{"set -gx E 4; sh -c 'echo $E; echo err >&2'", "4\n", "err\n", 0},
		{"head -c 100000 /dev/zero | wc -c", "100000\n", "", 0},
		{"", "", "", 0},
	} {
		end, got := s.tell(line.text, PlainLine)
		if end.ShellEnded || end.Code != line.code || got.of(1) != line.out ||
			got.of(2) != line.err || got.of(0) != "" {
			t.Errorf("%q: %+v, out %q, err %q, terminal %q", line.text, end, got.of(1), got.of(2),
				got.of(0))
		}
	}
	end, _ := s.tell("cd -", PlainLine)
	if end.Dir == nil || string(end.Dir) == "/usr" {
		t.Errorf("%q, before %q", end.Dir, end.OldDir)
	}
	for text, says := range map[string]string{"nosuch": "nosuch", "echo (": "(", "end": "end"} {
		end, got := s.tell(text, PlainLine)
		if shown := got.of(0); end.Code == 0 || !strings.Contains(shown, says) ||
			strings.Contains(shown, "__minissh_read") || strings.Contains(shown, "\x1b]") {
			t.Errorf("%q: %+v, %q", text, end, shown)
		}
	}
	for _, text := range []string{"sh -c 'echo go; exec sleep 1000'",
		"while true; sh -c 'echo go; exec sleep 1000'; end", "echo go; while true; end"} {
		line, got := s.begin(text)
		got.await(t, 1, "go\n")
		line.Signal("INT")
		if end := s.wait(line, text); end.ShellEnded {
			t.Errorf("%q: %+v", text, end)
		}
	}
	for n := range 40 { // an interrupt while it reads a text, runs it, or has just ended it
		text := []string{"sleep 1000 #" + strings.Repeat("x", n*1000), "true"}[n%2]
		line, _ := s.begin(text)
		testend.Until(t, "the line has begun", func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return line.begun || s.line != line
		})
		line.Signal("INT")
		if end := s.wait(line, text); end.ShellEnded {
			t.Errorf("%d: %+v", n, end)
		}
		if _, got := s.tell("echo next", PlainLine); got.of(1) != "next\n" {
			t.Fatalf("%d: %q, %q", n, got.of(1), got.of(0))
		}
	}
	got := &heard{}
	line, err := s.Begin(t.Context(), TerminalLine, nil,
		[]byte("echo go $x; cat; stty size"), got.put)
	if err != nil {
		t.Fatal(err)
	}
	got.await(t, 0, "go 5\r\n")
	s.Resize(protocol.Size{Rows: 7, Cols: 33})
	s.Keys().Write([]byte("typed\n\x04"))
	s.wait(line, "cat")
	if text := got.of(0); !strings.HasPrefix(text, "go 5\r\ntyped\r\ntyped\r\n7 33\r\n") {
		t.Errorf("%q", text)
	}
	s.tell("set u /usr; mkdir ~/abc", PlainLine)
	for ask, want := range map[string]string{"path\n/usr/bi": "/usr/bin/\n",
		"path\n$x_y/usr/bi": "", "path\n$u/bi": "$u/bin/\n", "path\n~/ab": "~/abc/\n",
		"command\nmkfif": "mkfifo\n", "variable\nx": "x\n"} {
		if _, got := s.tell(ask, NameLine); got.of(1) != want {
			t.Errorf("%q: %q, %q", ask, got.of(1), got.of(0))
		}
	}
	if all := s.between.of(1) + s.between.of(2); all != "" {
		t.Errorf("between lines it says %q", all)
	}
	end, _ = s.tell("exit 3", PlainLine)
	if !end.ShellEnded || s.Result().Code != 3 {
		t.Errorf("%+v", end)
	}
}
