package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"minissh/cmd/minissh-lab/lesson"
	"minissh/cmd/minissh-lab/speak"
	"minissh/protocol/testend"
)

// lab runs the program with a state folder of its own.
func lab(t *testing.T, in string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), append([]string{"minissh-lab"}, args...), strings.NewReader(in), &o, &e)
	return code, o.String(), e.String()
}

// all is how many lessons there are.
var all = strconv.Itoa(len(lesson.All()))

func TestLessonsInAutoByTheVerb(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	code, out, errOut := lab(t, "", "lesson", "--auto", "--lang", "zh")
	if code != 0 || !strings.Contains(out, all+" 课跑完") || strings.Contains(out, "✗ 预测") {
		t.Errorf("code %d, %q\n%s", code, errOut, out)
	}
	if _, out, _ := lab(t, "", "lesson", "list", "--lang", "en"); !strings.Contains(out,
		"0 of "+all) {
		t.Errorf("--auto counts as a learner's work:\n%s", out)
	}
}

// Whoever forgets python3, or the letter of a lesson, is told what to type.
func TestCheckSaysWhatToType(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	file := filepath.Join(t.TempDir(), "my.py")
	if err := os.WriteFile(file, []byte("print(1)\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		hint string
	}{
		{[]string{"check", "16", file}, "check 16 -- python3 " + file},
		{[]string{"check", "16", "--client", file}, "check 16 --client -- python3 " + file},
		{[]string{"check", "15"}, "check 15a --client -- python3 my_client.py"},
	} {
		if code, _, errOut := lab(t, "", c.args...); code != 2 ||
			!strings.Contains(errOut, c.hint) {
			t.Errorf("%v: code %d, %s", c.args, code, errOut)
		}
	}
}

func TestLessonIsKeptInProgress(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	code, out, _ := lab(t, "3\n952\n", "lesson", "12", "--lang", "en")
	if code != 0 || !strings.Contains(out, "came true") || !strings.Contains(out, "1976 bytes") {
		t.Errorf("code %d\n%s", code, out)
	}
	if _, out, _ = lab(t, "", "lesson", "--lang", "en", "list"); !strings.Contains(out, "✓  12") ||
		!strings.Contains(out, "1 of "+all) || !strings.Contains(out, "lesson 13a   who stuck") {
		t.Errorf("list:\n%s", out)
	}
	if code, out, _ = lab(t, "", "lesson", "--lang", "en", "7"); code != 0 ||
		!strings.Contains(out, "another time: minissh-lab lesson 7") {
		t.Errorf("code %d\n%s", code, out)
	}
	if code, _, errOut := lab(t, "", "lesson", "99"); code != 2 ||
		!strings.Contains(errOut, "hint: minissh-lab lesson list") {
		t.Errorf("code %d, %s", code, errOut)
	}
}

// Each lesson that has a picture says where it is seen; the link holds no token.
func TestLessonsLinkToTheirPictures(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	_, out, _ := lab(t, "2\n", "lesson", "13a", "--lang", "en")
	if !strings.Contains(out, "minissh-lab web --open --at 13a") ||
		!strings.Contains(out, "http://127.0.0.1:7480/#at=13a") || strings.Contains(out, "token") {
		t.Errorf("lesson 13a:\n%s", out)
	}
	if _, out, _ := lab(t, "1\n", "lesson", "20", "--lang", "en"); strings.Contains(out,
		"lab web") {
		t.Errorf("lesson 20 has no picture:\n%s", out)
	}
}

// The page by its verb: the link opens it, and what cannot be is explained.
func TestWebByTheVerb(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--listen 0.0.0.0:7480", "for this machine alone"},
		{"--listen 192.0.2.1:0", "hint: minissh-lab web --listen 127.0.0.1:7480"},
		{"--at 99", "neither a lesson with a picture nor a setting"},
		{"--listen nowhere", "cannot listen"},
		{"extra", "one word too many"},
	} {
		code, _, errOut := lab(t, "",
			append([]string{"web", "--lang", "en"}, strings.Fields(c.args)...)...)
		if code == 0 || !strings.Contains(errOut, c.want) {
			t.Errorf("%s: code %d, %q", c.args, code, errOut)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	out := &lineWriter{lines: make(chan string, 64)}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"minissh-lab", "web", "--lang", "en", "--listen", "127.0.0.1:0",
			"--at", "http://127.0.0.1:7480/#at=16"}, strings.NewReader(""), out, out)
	}()
	link := "http://" + out.until(t, "http://")
	before, fragment, _ := strings.Cut(link, "#")
	if !strings.HasPrefix(fragment, "token=") || !strings.HasSuffix(fragment, "&at=16&lang=en") {
		t.Errorf("the link is %q", link)
	}
	resp, err := http.Get(before)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	address := strings.Trim(strings.TrimPrefix(before, "http://"), "/")
	if code, _, errOut := lab(t, "", "web", "--lang", "en", "--listen", address); code != 1 ||
		!strings.Contains(errOut, "already") {
		t.Errorf("a second lab on %s: code %d, %q", address, code, errOut)
	}
	cancel()
	if code := testend.Next(t, "web ends", ended); resp.StatusCode != 200 || code != 0 {
		t.Errorf("status %d, exit code %d", resp.StatusCode, code)
	}
}

func TestMythsByTheVerb(t *testing.T) {
	code, out, _ := lab(t, "", "lesson", "myths", "nodelay", "--lang", "en")
	if code != 0 || !strings.Contains(out, "stuck in 50 of 50") ||
		!strings.Contains(out, "✗ not so") {
		t.Errorf("code %d\n%s", code, out)
	}
	if code, _, _ = lab(t, "", "lesson", "myths", "no-such"); code != 2 {
		t.Errorf("code %d", code)
	}
}

// A class votes on a belief before it sees the numbers; nobody is waited for without a
// terminal, as above.
func TestMythsWaitForHands(t *testing.T) {
	var out bytes.Buffer
	s := &lesson.Stage{Ctx: t.Context(), Out: speak.New(&out, speak.English)}
	votes := 0
	err := runMyths(s, []string{"nodelay"}, func() error {
		votes++
		if seen := out.String(); !strings.Contains(seen, "TCP_NODELAY fixes it") ||
			strings.Contains(seen, "stuck in") {
			t.Errorf("at the vote the class has seen %q", seen)
		}
		return nil
	})
	if err != nil || votes != 1 || !strings.Contains(out.String(), "stuck in 50 of 50") {
		t.Errorf("%d votes, %v\n%s", votes, err, out.String())
	}
	out.Reset()
	err = runMyths(s, nil, func() error { return lesson.ErrQuit })
	if err != nil || strings.Count(out.String(), "▌") != 1 {
		t.Errorf("after q: %v\n%s", err, out.String())
	}
}

// The language is the locale's, and --lang's where it is given.
func TestLanguageOfTheVerbs(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	for _, c := range []struct{ locale, args, want, not string }{
		{"zh_CN.UTF-8", "lesson list", "第一次来", "New here"},
		{"en_GB.UTF-8", "lesson list", "New here", "第一次来"},
		{"C", "lesson list", "第一次来", "nothing else"},
		{"C", "lesson list", "New here", "nothing else"},
		{"zh_CN.UTF-8", "lesson list --lang en", "New here", "第一次来"},
		{"en_GB.UTF-8", "--lang zh lesson list", "第一次来", "New here"},
		{"zh_CN.UTF-8", "lesson 99", "没有", "no lesson"},
		{"fr_FR", "lesson 99 --lang zh", "没有", "no lesson"},
	} {
		t.Setenv("LC_ALL", c.locale)
		_, out, errOut := lab(t, "", strings.Fields(c.args)...)
		if out += errOut; !strings.Contains(out, c.want) || strings.Contains(out, c.not) {
			t.Errorf("LC_ALL=%s %s:\n%s", c.locale, c.args, out)
		}
	}
}

// A value is changed by a command that the lesson names; a wrong one says which.
func TestChangeByTheVerb(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	code, out, _ := lab(t, "", "lesson", "12", "--change", "2048", "--lang", "en")
	if code != 0 || !strings.Contains(out, "952 bytes are left") {
		t.Errorf("code %d\n%s", code, out)
	}
	if _, out, _ := lab(t, "3\n952\n", "lesson", "12", "--lang", "en"); !strings.Contains(out,
		"lesson 12 --change 2048") {
		t.Errorf("lesson 12 does not say what to type:\n%s", out)
	}
	for _, c := range []struct{ args, want string }{
		{"12 --change 0", "a number from 1 to 65536"},
		{"12 --change x\x1b[2J", `"x\x1b[2J"`},
		{"7 --change x", "hint: minissh-lab lesson 7 --change inside"},
		{"--change 1", "which lesson?"},
		{"--auto 12 --change 1", "not both"},
	} {
		code, _, errOut := lab(t, "", append([]string{"lesson", "--lang", "en"},
			strings.Fields(c.args)...)...)
		if code != 2 || !strings.Contains(errOut, c.want) {
			t.Errorf("%s: code %d, %q", c.args, code, errOut)
		}
	}
}

func TestCheckWordsAreExplained(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	for _, c := range []struct{ args, want string }{
		{"check", "which lesson?"},
		{"check 13a -- python3 x.py", "checks the other end only"},
		{"check 99 -- python3 x.py", "no check for"},
		{"check 16", "it comes after --"},
		{"check 16 --client --connect 127.0.0.1:1", "--connect is for servers"},
		{"check 16 --only none -- x", "no case"},
		{"check 16 --class 127.0.0.1:1 -- x", "--class wants --name"},
		{"check 16 -- ./no-such-program {port}", "there is no program"},
		{"check 16 --connect 127.0.0.1:1", "cannot connect"},
		{"check 16 --frob -- x", "frob"},
	} {
		code, _, errOut := lab(t, "", append(strings.Fields(c.args), "--lang", "en")...)
		if strings.Contains(c.args, " -- ") || c.args == "check" {
			code, _, errOut = lab(t, "",
				strings.Fields(strings.Replace(c.args, "check", "check --lang en", 1))...)
		}
		if code == 0 || !strings.Contains(errOut, c.want) {
			t.Errorf("%s: code %d, %q", c.args, code, errOut)
		}
	}
}

// A student's check goes to the teacher's board, through the verbs.
func TestClassByTheVerbs(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("not run: needs python3")
	}
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	board := &lineWriter{lines: make(chan string, 64)}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"minissh-lab", "class", "--lang", "en", "--listen",
			"127.0.0.1:0"}, strings.NewReader(""), board, board)
	}()
	defer func() { cancel(); testend.Next(t, "the class ends", ended) }()
	address, _, _ := strings.Cut(board.until(t, "the class reports to "), ",")
	script, err := filepath.Abs("check/testdata/echo_client.py")
	if err != nil {
		t.Fatal(err)
	}
	code, out, errOut := lab(t, "", "check", "6", "--client", "--lang", "en", "--limit", "20s",
		"--class", address, "--name", "小\x1b[31m明", "--", python, "-S", "-B", script, "{address}")
	if code != 0 || !strings.Contains(out, "1 passed, 0 failed") ||
		!strings.Contains(out, "reported") {
		t.Fatalf("code %d\n%s%s", code, out, errOut)
	}
	for line := range board.lines {
		if strings.Contains(line, "✓") {
			if !strings.Contains(line, "小??31m明  6 client  1 ✓ 0 ✗") ||
				strings.Contains(line, "\x1b") {
				t.Errorf("the board says %q", line)
			}
			break
		}
	}
	if _, out, _ := lab(t, "", "lesson", "list", "--lang", "en"); !strings.Contains(out,
		"6      ·C") {
		t.Errorf("list:\n%s", out)
	}
}

func TestFailedCheckIsExplained(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("not run: needs python3")
	}
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	script := filepath.Join(t.TempDir(), "liar.py")
	text := "import socket, sys\ns = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n" +
		"print('\\x1b[2J' + 'x' * 100, flush=True)\nsys.exit('\\x1b]0;title\\x07 no')\n"
	if err := os.WriteFile(script, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := lab(t, "", "check", "6", "--client", "--lang", "both", "--", python, "-S",
		script, "{host}", "{port}")
	if code != 1 || !strings.Contains(errOut, "minissh-lab lesson 6") {
		t.Errorf("code %d, %q", code, errOut)
	}
	if strings.ContainsRune(out, '\x1b') || !strings.Contains(out, `\x1b]0;title`) {
		t.Errorf("the program's text is not quoted:\n%q", out)
	}
	for _, want := range []string{"发出", "expected", "came", "程序说"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if !strings.Contains(speak.Clean(out), "typed at the prompt") {
		t.Errorf("what was typed is missing:\n%s", out)
	}
}
