package playshell

import (
	"strings"
	"testing"
)

// What the course demonstrates sticking with is longer than one recv(1024).
func TestDemonstrations(t *testing.T) {
	for line, long := range map[string]bool{"whoami": false, "hostname": false, "ipconfig": false,
		"ifconfig": false, "ipconfig /all": true, "tasklist": true} {
		out, errOut := Run(line)
		if len(out) == 0 || len(errOut) > 0 || len(out) > 1024 != long {
			t.Errorf("%s: %d bytes, %q", line, len(out), errOut)
		}
	}
}

func TestRun(t *testing.T) {
	for _, c := range []struct{ line, out, errOut string }{
		{"ls", "a.txt\nbig.txt\ncode\nempty.txt\nzhong.txt\n你好.txt\n", ""},
		{"dir code", "hello.py\n", ""},
		{"ls -l /etc", "hostname\n", ""},
		{"ls a.txt nosuch", "a.txt\n", "ls: nosuch: No such file or directory\n"},
		{"pwd", "/home/student\n", ""},
		{"cd /", "", ""},
		{"cd / && pwd", "/\n", ""},
		{`cd ..\student\code; pwd`, "/home/student/code\n", ""},
		{"cd nosuch && pwd", "", "cd: nosuch: No such file or directory\n"},
		{"cd nosuch; pwd", "/home/student\n", "cd: nosuch: No such file or directory\n"},
		{"echo 你好  'a  b' \"c;d\"", "你好 a  b c;d\n", ""},
		{"echo $HOME | cat > x", "$HOME | cat > x\n", ""},
		{"seq 3", "1\n2\n3\n", ""},
		{"seq 2 3", "2\n3\n", ""},
		{"seq x", "", "seq: not a number\n"},
		{"cat a.txt", "hello world", ""},
		{"cat ../../etc/hostname", "classroom\n", ""},
		{"cat /etc/passwd", "", "cat: /etc/passwd: No such file or directory\n"},
		{"cat code", "", "cat: code: Is a directory\n"},
		{"true", "", ""},
		{"", "", ""},
		{"rm -rf /", "", "sh: rm: command not found (only played here: help)\n"},
		{"zhōng", "", "sh: zhōng: command not found (only played here: help)\n"},
	} {
		out, errOut := Run(c.line)
		if string(out) != c.out || string(errOut) != c.errOut {
			t.Errorf("Run(%q) = %q, %q; want %q, %q", c.line, out, errOut, c.out, c.errOut)
		}
	}
}

func TestSizesAreExact(t *testing.T) {
	for line, want := range map[string]int{"big": 3000, "big 1024": 1024, "big 0": 0,
		"cat big.txt": 3000, "cat zhong.txt": 1200} {
		if out, errOut := Run(line); len(out) != want || len(errOut) != 0 {
			t.Errorf("%s: %d bytes (stderr %q), want %d", line, len(out), errOut, want)
		}
	}
	if got := Big(32); got != "line 0000000001\nline 0000000002\n" {
		t.Errorf("Big(32) = %q", got)
	}
}

func TestOutputIsBounded(t *testing.T) {
	for _, line := range []string{"seq 1 9223372036854775807",
		"seq 9000000000000000000 9223372036854775807", "big 2147483647",
		strings.Repeat("big 1048577;", 40)} {
		out, errOut := Run(line)
		if len(out) != MaxOutput || !strings.Contains(string(errOut), "output cut") {
			t.Errorf("%.30s…: %d bytes, stderr %q", line, len(out), errOut)
		}
	}
	if _, errOut := Run(strings.Repeat("x;", 1000)); strings.Count(string(errOut),
		"\n") != maxCommands+1 {
		t.Errorf("a thousand commands gave %d lines", strings.Count(string(errOut), "\n"))
	}
}

func FuzzRun(f *testing.F) {
	f.Add("ls; cd / && pwd")
	f.Add("echo 'a")
	f.Fuzz(func(t *testing.T, line string) {
		out, errOut := Run(line)
		if len(out) > MaxOutput || len(errOut) > 64*len(line)+8192 {
			t.Errorf("%d and %d bytes", len(out), len(errOut))
		}
	})
}
