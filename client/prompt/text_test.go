package prompt

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLabel(t *testing.T) {
	for _, test := range []struct{ user, host, dir, home, want string }{
		{"li", "lab", "/home/li", "/home/li", "li@lab:~$ "},
		{"li", "lab", "/home/li/x", "/home/li/", "li@lab:~/x$ "},
		{"li", "lab", "/home/lily", "/home/li", "li@lab:/home/lily$ "},
		{"root", "lab", "/", "/", "root@lab:/# "},
		{"", "lab", "/x y", "", "lab:/x y$ "},
		{"li", "lab", "/\x1b]0;x\x07\xff\\\u202e\U000e0001你", "", `li@lab:/\x1b]0;x\x07\xff\\\u202e\U000e0001你$ `},
		{"li", "la\nb", "/a\\b", "", `li@la\nb:/a\b$ `},
	} {
		l := &loop{cfg: &Config{User: test.user, Host: test.host, Home: []byte(test.home)},
			dir: []byte(test.dir)}
		if got := l.label(); got != test.want {
			t.Errorf("%q: %q, want %q", test.dir, got, test.want)
		}
	}
	if got := (&loop{cfg: &Config{User: "li", Host: "lab"}}).label(); got != "li@lab$ " {
		t.Errorf("without a directory: %q", got)
	}
}

// TestColorBoundaries: the colour never comes between the bytes of a character or
// an escape sequence, and is off after every write that ends between them.
func TestColorBoundaries(t *testing.T) {
	const text = "a\x1b[1;31mb\x1b]8;;http://x\x1b\\你🙂\x1b]0;t\x07\x1b(Bé\xff\x1bcé"
	for cut := 0; cut <= len(text); cut++ {
		file := filepath.Join(t.TempDir(), "err")
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		o := &output{out: f, err: f, color: true, errTTY: true, outTTY: true}
		for _, part := range []string{text[:cut], text[cut:]} {
			if n, err := o.stderr().Write([]byte(part)); n != len(part) || err != nil {
				t.Fatalf("wrote %d of %d, %v", n, len(part), err)
			}
		}
		o.reset()
		f.Close()
		data, _ := os.ReadFile(file)
		got := string(data)
		if strings.Count(got, styleError) != strings.Count(got, styleOff) ||
			!strings.HasSuffix(got, styleOff) {
			t.Errorf("cut at %d: the colour stays on: %q", cut, got)
		}
		// Without the wrapping, the text is there as it was, and the wrapping is
		// only where the scanner was between things.
		inner := strings.NewReplacer(styleError, "", styleOff, "").Replace(got)
		if inner != text {
			t.Errorf("cut at %d: %q", cut, got)
		}
		if middle := strings.Contains(strings.TrimSuffix(got, styleOff), styleOff); cut > 0 &&
			cut < len(text) && middle != (scanGround.over([]byte(text[:cut])) == scanGround) {
			t.Errorf("cut at %d: %q", cut, got)
		}
	}
	for end, want := range map[string]scan{"a": scanGround, "\x1b": scanEscape, "\x1b[1": scanCSI,
		"\x1b]0;": scanString, "\x1b]0;x\x1b": scanStringEscape,
		"\xe4": scanUTF8 + 1, "\xe4\xbd": scanUTF8, "\xf0\x9f\x99": scanUTF8, "é": scanGround,
		"🙂": scanGround, "\xc3\x1b": scanEscape} {
		if got := scanGround.over([]byte(end)); got != want {
			t.Errorf("%q ends in %d, want %d", end, got, want)
		}
	}
}

// What a person starts to use it on a terminal gets one; what is led elsewhere does not.
func TestOnTerminal(t *testing.T) {
	for line, want := range map[string]bool{
		"vim x": true, "/usr/bin/vim x": true, "EDITOR=x vim": true, "sudo -i": true,
		"fg":        true,
		"ls | less": true, "cd /; top": true, "true && htop": true, "(man ls)": true,
		"python3":      true,
		"command vi a": true, "echo vim": false, "man ls | cat": false, "less x > y": false,
		"less x >y": false, "ls": false, "": false, "python3 x.py": false, "bash": true,
		"echo 'a; vim'": false, `echo "| less"`: false, "vimx": false, "echo a | python3": false,
		"git commit": true, "EDITOR=vim git commit -a": true, "git log": false,
		"git add -p": true, "git commit >x": false, "git commit | cat": false,
		"crontab -e": true, "crontab -l": false, "docker exec -it x sh": true, "docker ps": false,
		"apt install x": true, "apt list": false, "commit": false, "read -p 'Name? ' x": true,
		"read x <f": false, "read x <<<a": false, "echo a | read x": false, "read x < f": false,
		"while read x; do echo $x; done <f": false,
		"sort <x | less":                    true, "less x 2>/dev/null": true,
		"echo \\| less": false,
	} {
		if got := onTerminal(line); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}
