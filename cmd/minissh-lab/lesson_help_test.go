package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"minissh/cmd/minissh-lab/lesson"
)

// courseRun is the function that hands commands to a shell, as the course does. A test's
// port must not: playedRun takes its place.
var courseRun = regexp.MustCompile(`(?s)def run\(cmd\):\n.*?return out \+ err\n`)

const playedRun = `def run(cmd):
    word, _, rest = cmd.partition(' ')
    if word == 'echo':
        return (rest + '\n').encode('utf-8')
    if word in ('seq', 'for'):
        return ''.join('%d\n' % n for n in range(1, 1001)).encode('utf-8')
    if word == 'cd':
        return b''
    return ('/bin/sh: %s: command not found\n' % word).encode('utf-8')
`

// interpreter is the path of a Python 3. It is asked for its own path, since the name may be
// a wrapper that takes longer than the program.
func interpreter(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Skip("not run: needs python3")
	}
	return strings.TrimSpace(string(out))
}

// program writes what `lesson NAME FLAGS` prints into a file.
func program(t *testing.T, flags ...string) string {
	t.Helper()
	code, text, errOut := lab(t, "", append([]string{"lesson", "--lang", "en"}, flags...)...)
	if code != 0 || strings.Contains(text, "#[") || strings.Contains(text, "#:part") {
		t.Fatalf("%v: code %d, %s\n%s", flags, code, errOut, text)
	}
	if strings.Contains(text, "shell=True") && !courseRun.MatchString(text) {
		t.Fatalf("%v: the shell is not where this test looks for it\n%s", flags, text)
	}
	path := filepath.Join(t.TempDir(), "my.py")
	text = courseRun.ReplaceAllLiteralString(text, playedRun)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Every mended program passes its lesson's check, whole.
func TestMendedProgramsPassTheirChecks(t *testing.T) {
	python := interpreter(t)
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	for _, l := range lesson.All() {
		for i, side := range l.Sides() {
			if (l.Name == "1-5" || l.Name == "own") && runtime.GOOS == "windows" {
				continue // Unix sockets
			}
			t.Run(l.Name+" "+side, func(t *testing.T) {
				flags := []string{l.Name, "--mended"}
				if i > 0 {
					flags = append(flags, "--client")
				}
				path := program(t, flags...)
				if _, err := exec.LookPath("go"); l.Name == "own" && err != nil {
					t.Skip("not run: needs go, to build minisshd")
				}
				args := []string{"check", "--lang", "en", "--limit", "20s"}
				if side == "client" {
					args = append(args, "--client")
				}
				if l.Name == "1-5" {
					dir, err := os.MkdirTemp("", "lab") // a short path
					if err != nil {
						t.Fatal(err)
					}
					defer os.RemoveAll(dir)
					args = append(args, "--at", "unix:"+filepath.Join(dir, "s"))
				}
				place := []string{"{port}"}
				switch l.Name {
				case "1-5":
					place = []string{"{address}"}
				case "14a":
					place = nil
				case "own":
					place = []string{"{address}", "{command}"}
				}
				args = append(append(args, l.Name, "--", python, "-S", "-B", path), place...)
				if code, out, errOut := lab(t, "", args...); code != 0 {
					t.Errorf("code %d\n%s%s", code, out, errOut)
				}
			})
		}
		if len(l.Sides()) == 0 {
			t.Errorf("lesson %s has no program", l.Name)
		}
	}
}

// A program with two bugs: each is explained once, and where it shows again is pointed to it.
func TestEachBugIsExplainedOnce(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("not run: needs python3")
	}
	path := filepath.Join(t.TempDir(), "my.py")
	if code, _, errOut := lab(t, "", "lesson", "15a", "--starter", "--client", "-o",
		path); code != 0 {
		t.Fatal(errOut)
	}
	_, out, _ := lab(t, "", "check", "15a", "--client", "--lang", "en", "--", python, "-S", "-B",
		path, "{port}")
	if strings.Count(out, "if not 0 <= n <= LIMIT") != 1 ||
		!strings.Contains(out, "the same bug: mend minus-one first") {
		t.Errorf("%s", out)
	}
	if !strings.HasSuffix(strings.TrimSpace(out), "2 passed, 4 failed") {
		t.Errorf("the last line has what there is not:\n%s", out)
	}
}

// With -o a program goes into a new file, byte for byte as it is printed: PowerShell 5 writes what
// is redirected as UTF-16. A file that is there is left alone.
func TestProgramIntoAFile(t *testing.T) {
	for _, flag := range []string{"--starter", "--mended"} {
		path := filepath.Join(t.TempDir(), "my.py")
		_, printed, _ := lab(t, "", "lesson", "15a", flag, "--client", "--lang", "zh")
		code, out, errOut := lab(t, "", "lesson", "15a", flag, "--client", "--lang", "zh", "-o",
			path)
		got, err := os.ReadFile(path)
		if code != 0 || err != nil || string(got) != printed || !strings.Contains(out, "my.py") {
			t.Errorf("%s: code %d, %v, %d of %d bytes, %s%s", flag, code, err, len(got),
				len(printed), out, errOut)
		}
		if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, errOut = lab(t, "", "lesson", "15a", flag, "--client", "--lang", "en", "-o",
			path)
		got, err = os.ReadFile(path)
		if code == 0 || err != nil || string(got) != "mine" || !strings.Contains(errOut,
			"there already") || !strings.Contains(errOut, flag+" --client -o another.py") {
			t.Errorf("%s over a file: code %d, %q, %s", flag, code, got, errOut)
		}
	}
	if code, _, errOut := lab(t, "", "lesson", "15a", "--hint", "-o", "x"); code != 2 ||
		!strings.Contains(errOut, "--starter") {
		t.Errorf("-o with a hint: code %d, %s", code, errOut)
	}
}

// A starter is a Python program too, and lacks what its lesson is about.
func TestStartersAreProgramsThatDiffer(t *testing.T) {
	python := interpreter(t)
	var files []string
	for _, l := range lesson.All() {
		for i, side := range l.Sides() {
			flags := []string{l.Name, "--starter"}
			if i > 0 {
				flags = append(flags, "--client")
			}
			starter := program(t, flags...)
			flags[1] = "--mended"
			mended := program(t, flags...)
			a, _ := os.ReadFile(starter)
			b, _ := os.ReadFile(mended)
			if string(a) == string(b) || !strings.Contains(string(a), "exercise: ") ||
				strings.Contains(string(b), "exercise: ") {
				t.Errorf("lesson %s, %s: starter and mended program do not differ as they should",
					l.Name, side)
			}
			files = append(files, starter)
		}
	}
	out, err := exec.CommandContext(t.Context(), python, append([]string{"-m", "py_compile"},
		files...)...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// Hints come one at a time, and the last one leads to the mended programs of both sides. (Of 15a,
// whose exercise is the client, it was the server alone.)
func TestHintsComeOneAtATime(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	for _, want := range []string{"hint 1 of 3: Go through", "hint 2 of 3: ", "hint 3 of 3: ",
		"hint 3 of 3: "} {
		code, out, _ := lab(t, "", "lesson", "15a", "--hint", "--lang", "en")
		if code != 0 || !strings.Contains(out, want) || strings.Count(out, "hint ") != 1 ||
			strings.Contains(out, "15a --mended --client") != strings.Contains(want, "3 of 3") {
			t.Errorf("want %q: code %d\n%s", want, code, out)
		}
	}
	if _, out, _ := lab(t, "", "lesson", "6", "--hint", "--lang", "en"); !strings.Contains(out,
		"hint 1 of 3") {
		t.Errorf("another lesson's first hint:\n%s", out)
	}
	if _, out, _ := lab(t, "3\n", "lesson", "15a", "--lang", "en"); !strings.Contains(out,
		"lesson 15a --starter --client -o my_client.py") || !strings.Contains(out, "--hint") {
		t.Errorf("lesson 15a does not say where help is:\n%s", out)
	}
	for _, l := range lesson.All() {
		for n, h := range l.Hints {
			if h.Zh == "" || h.En == "" {
				t.Errorf("lesson %s lacks hint %d in one language", l.Name, n+1)
			}
		}
	}
	for _, c := range []struct{ args, want string }{
		{"--hint", "which lesson?"},
		{"15a --hint --mended", "not both"},
		{"list --hint", "is for a lesson"},
		{"myths --change 1", "is for a lesson"},
		{"9 --mended --client", "no client's program"},
	} {
		code, _, errOut := lab(t, "", append([]string{"lesson", "--lang", "en"},
			strings.Fields(c.args)...)...)
		if code != 2 || !strings.Contains(errOut, c.want) {
			t.Errorf("%s: code %d, %q", c.args, code, errOut)
		}
	}
}
