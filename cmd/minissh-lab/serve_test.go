package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"minissh/protocol/testend"
)

// asProgram makes the test binary be the program itself, for what needs a process:
// signals and exit codes.
const asProgram = "MINISSH_LAB_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Setenv("LC_ALL", "C") // both languages, whatever the developer's own is
	os.Exit(m.Run())
}

// running is `minissh-lab serve` inside this process.
type running struct {
	at     string      // its address, as connect takes it
	dir    string      // its folder, "" if it has none
	rest   chan string // what it prints after its ready text
	cancel func()
	code   chan int
	errOut *bytes.Buffer
}

// startServe runs serve and waits for its ready text.
func startServe(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out := &lineWriter{lines: make(chan string, 64)}
	s := &running{rest: make(chan string, 1), cancel: cancel, code: make(chan int, 1),
		errOut: &bytes.Buffer{}}
	go func() {
		s.code <- run(ctx, append([]string{"minissh-lab", "serve", "--lang", "en"}, args...),
			strings.NewReader(""), out, s.errOut)
		close(out.lines)
	}()
	t.Cleanup(func() {
		cancel()
		for testend.Next(t, "serve ends", out.lines) != "" {
		}
	})
	for s.at == "" {
		line := testend.Next(t, "serve's ready text", out.lines)
		if line == "" {
			t.Fatalf("serve ended: %s", s.errOut)
		}
		files := regexp.MustCompile(`^files in (.*?)( \(removed.*)?\n$`)
		if m := files.FindStringSubmatch(line); m != nil {
			s.dir = m[1]
		}
		try := regexp.MustCompile(`^try: minissh-lab connect --dialect \S+ (.*)\n$`)
		if m := try.FindStringSubmatch(line); m != nil {
			s.at = m[1]
		}
	}
	go func() { // the server waits for whoever reads its log
		var rest strings.Builder
		for line := range out.lines {
			rest.WriteString(line)
		}
		s.rest <- rest.String()
	}()
	return s
}

// stop ends it as Ctrl-C does and returns the rest of what it printed.
func (s *running) stop(t *testing.T) string {
	t.Helper()
	s.cancel()
	rest := testend.Next(t, "its output ends", s.rest)
	if code := testend.Next(t, "serve ends", s.code); code != 0 {
		t.Errorf("serve ended with %d: %s", code, s.errOut)
	}
	return rest
}

// try runs the program with input and returns its exit code and both outputs.
func try(t *testing.T, in string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), append([]string{"minissh-lab"}, args...), strings.NewReader(in), &o, &e)
	return code, o.String(), e.String()
}

func TestServeAndConnect(t *testing.T) {
	for _, c := range []struct {
		dialect  string
		in, want string
	}{
		{"echo", "hello\n\n你好 a\n", "HELLO\n你好 A\n"},
		{"naive", "pwd\nls code\nquit\nls\n", "/home/student\nhello.py\n"},
		{"ack", "pwd\n", "/home/student\n"},
		{"simple", "true\npwd\n", "/home/student\n"},
		{"ultimate", "pwd\nnosuch\n", "/home/student\nsh: nosuch: command not found (only played here: help)\n"},
		{"udp", "hello\n", "HELLO\n"},
		{"udp-exec", "pwd\n", "/home/student\n"},
	} {
		t.Run(c.dialect, func(t *testing.T) {
			s := startServe(t, "--dialect", c.dialect, "--listen", "127.0.0.1:0")
			auto := []string{"connect", "--dialect", "auto", s.at}
			for _, args := range [][]string{{"connect", "--dialect", c.dialect, s.at}, auto} {
				if strings.HasPrefix(c.dialect, "udp") && args[2] == "auto" {
					continue // auto is for streams
				}
				if args[2] == "auto" && c.dialect == "ack" {
					// its pause is 300 ms of real time; package dialect tests it under fake time
					continue
				}
				in := c.in
				if args[2] == "auto" && c.dialect == "simple" {
					in = "pwd\n" // an empty answer is four bytes and a pause
				}
				code, out, errOut := try(t, in, args...)
				if code != 0 || out != c.want {
					t.Errorf("%v: exit %d, printed %q, want %q\n%s", args, code, out, c.want,
						errOut)
				}
			}
			log := s.stop(t)
			if !strings.Contains(log, "recv ") || !strings.Contains(log, "send ") ||
				!strings.HasSuffix(log, "stopped\n") {
				t.Errorf("the log is %q", log)
			}
		})
	}
}

func TestFilesOverBothVerbs(t *testing.T) {
	for _, d := range []string{"file", "oo"} {
		mine := t.TempDir()
		if err := os.WriteFile(filepath.Join(mine, "你.txt"), []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
		s := startServe(t, "--dialect", d, "--listen", "127.0.0.1:0")
		code, _, errOut := try(t, "get a.txt\nput 你.txt\nget ../x\nget 你.txt\n",
			"connect", "--lang", "en", "--dialect", d, "--pace", "1ms", "--dir", mine, s.at)
		if code != 1 || !strings.Contains(errOut, `saved "a.txt", 11 bytes`) ||
			!strings.Contains(errOut, "the server refused") {
			t.Errorf("exit %d: %s", code, errOut)
		}
		for name, want := range map[string]string{"a.txt": "hello world", "你-2.txt": "mine"} {
			if got, _ := os.ReadFile(filepath.Join(mine, name)); string(got) != want {
				t.Errorf("%s: %s holds %q", d, name, got)
			}
		}
		if got, _ := os.ReadFile(filepath.Join(s.dir, "你.txt")); string(got) != "mine" {
			t.Errorf("%s: the server has %q", d, got)
		}
		s.stop(t)
		if _, err := os.Stat(s.dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the temporary folder is left behind: %v", d, err)
		}
	}
}

func TestEncodingsAndOrders(t *testing.T) {
	s := startServe(t, "--dialect", "simple", "--byte-order", "big", "--encoding", "gbk",
		"--listen", "127.0.0.1:0")
	code, out, errOut := try(t, "echo 你好\n", "connect", "--dialect", "simple", "--byte-order",
		"big", "--encoding", "gbk", "-b", "--lang", "en", s.at)
	if code != 0 || out != "你好\n" || !strings.Contains(errOut, `recv    5 "\xc4\xe3\xba\xc3\n"`) {
		t.Errorf("exit %d, %q\n%s", code, out, errOut)
	}
	// the wrong order
	code, _, errOut = try(t, "echo 你好\n", "connect", "--dialect", "simple", "--lang", "en", s.at)
	if code != 1 || !strings.Contains(errOut, "hint: ") ||
		!strings.Contains(errOut, "--byte-order") {
		t.Errorf("wrong order: exit %d\n%s", code, errOut)
	}
}

func TestPeersTextIsQuoted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		c.Read(make([]byte, 10))
		c.Write([]byte("\x1b]0;owned\x07\x1b[2J"))
		c.Close()
	}()
	_, out, errOut := try(t, "ls\n", "connect", "-b", "--dialect", "naive", l.Addr().String())
	if strings.ContainsAny(out+errOut, "\x1b\x07") || !strings.Contains(out, `\x1b]0;owned`) {
		t.Errorf("printed %q and %q", out, errOut)
	}
}

func TestProblemsHaveHints(t *testing.T) {
	s := startServe(t, "--dialect", "echo", "--listen", "127.0.0.1:0")
	defer s.stop(t)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"serve", "--dialect", "naive", "--listen", s.at}, 1, `(?s)already in use.*hint: minissh-lab serve --dialect naive --listen 127.0.0.1:\d+\n`},
		{[]string{"serve", "--dialect", "nosuch"}, 2, `(?s)no dialect "nosuch": echo\|naive.*hint: --dialect`},
		{[]string{"serve", "--listen", "1:2:3"}, 2, `hint: --listen 127`},
		{[]string{"serve", "--dialect", "file", "--dir", filepath.Join(t.TempDir(), "none")}, 1, `hint: mkdir`},
		{[]string{"serve", "extra"}, 2, `one word too many: "extra"`},
		{[]string{"connect", s.at, "--dialect", "echo"}, 2, `"--dialect" goes before the address`},
		{[]string{"connect", "--recv-size", "0", s.at}, 2, `hint: --recv-size 1024`},
		{[]string{"connect", "--byte-order", "middle", s.at}, 2, `hint: --byte-order big`},
		{[]string{"connect", "--encoding", "latin", s.at}, 2, `hint: --encoding gbk`},
		{[]string{"connect", "unix:/nosuch/socket"}, 1, `hint: minissh-lab serve`},
		{[]string{"nosuch"}, 2, `there is no verb "nosuch"`},
		{[]string{"serve", "--nosuch"}, 2, `hint: minissh-lab --help`},
		{[]string{"serve", "--lang", "fr"}, 2, `hint: --lang zh`},
	} {
		code, out, errOut := try(t, "", append([]string{"--lang", "en"}, c.args...)...)
		if code != c.code || !regexp.MustCompile(c.want).MatchString(errOut) ||
			!strings.HasPrefix(errOut, "minissh-lab: ") {
			t.Errorf("%v: exit %d, want %d\n%s%s", c.args, code, c.code, out, errOut)
		}
	}
}

func TestLangChooses(t *testing.T) {
	for lang, want := range map[string]string{
		"zh":   "minissh-lab: 没有 \"x\" 这个命令\n",
		"en":   "minissh-lab: there is no verb \"x\"\n",
		"both": "minissh-lab: 没有 \"x\" 这个命令  /  there is no verb \"x\"\n",
	} {
		if _, _, errOut := try(t, "", "--lang", lang, "x"); !strings.HasPrefix(errOut, want) {
			t.Errorf("%s: %q", lang, errOut)
		}
	}
}

func TestInterruptEndsItCleanly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("not run: a process cannot be interrupted alone on Windows")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	cmd := exec.CommandContext(t.Context(), self, "serve", "--dialect", "file", "--listen",
		"127.0.0.1:0", "--lang", "en")
	cmd.Env = append(os.Environ(), asProgram+"=1", "TMPDIR="+temp)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out.(*os.File).SetReadDeadline(time.Now().Add(time.Minute))
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "try: ") {
			break
		}
	}
	if made, _ := os.ReadDir(temp); len(made) != 1 {
		t.Errorf("temporary folders: %v", made)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(r)
	if err := cmd.Wait(); err != nil || string(rest) != "stopped\n" {
		t.Errorf("%v, printed %q", err, rest)
	}
	if left, _ := os.ReadDir(temp); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
