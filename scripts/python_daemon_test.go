//go:build linux

package scripts

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

// pythonDaemon starts minisshd.py, a daemon written from PROTOCOL.md alone. It is stopped at the
// end of the test.
func pythonDaemon(t *testing.T, args ...string) (socket string, daemon *exec.Cmd) {
	t.Helper()
	return startPython(t, append([]string{"minisshd.py"}, args...)...)
}

func startPython(t *testing.T, args ...string) (socket string, daemon *exec.Cmd) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("not run: needs python3")
	}
	socket = filepath.Join(t.TempDir(), "socket")
	daemon = exec.Command(python, append(args, "unix:"+socket)...)
	var log testhost.Text
	daemon.Stderr = &log
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		daemon.Process.Signal(syscall.SIGTERM)
		daemon.Process.Signal(syscall.SIGTERM)
		daemon.Wait()
	})
	log.Await(t, "listening on unix:"+socket+"\n")
	t.Cleanup(func() {
		if text := log.String(); text != "listening on unix:"+socket+"\n" {
			t.Errorf("the daemon says %s", text)
		}
	})
	return socket, daemon
}

// TestPythonDaemon has both clients, ours and minissh.py, use minisshd.py.
func TestPythonDaemon(t *testing.T) {
	socket, _ := pythonDaemon(t)
	dir := t.TempDir()
	if err := testhost.Build(t.Context(), dir, false); err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("minissh.py")
	if err != nil {
		t.Fatal(err)
	}
	random := make([]byte, 1<<20) // many times the window, both ways
	rand.NewChaCha8([32]byte{}).Read(random)
	for _, client := range [][]string{{filepath.Join(dir, "minissh"), "unix:" + socket},
		{"python3", script, "unix:" + socket},
		{"python3", script, "--resume", "60", "unix:" + socket}} {
		prepare := func(stdin []byte, command string) *exec.Cmd {
			words := append(client[1:len(client):len(client)], command)
			cmd := exec.CommandContext(t.Context(), client[0], words...)
			cmd.Env = append(os.Environ(), "HOME="+dir)
			cmd.Stdin = bytes.NewReader(stdin)
			return cmd
		}
		for _, c := range []struct {
			command, stdout, stderr string
			code                    int
		}{
			{"echo out; echo err >&2; exit 7", "out\n", "err\n", 7},
			{"kill -TERM $$", "", "", 143},
			{"cat", string(random), "", 0},
			{"head -c 5", string(random[:5]), "", 0},
			{"printf " + strings.Repeat("x", 60_000), strings.Repeat("x", 60_000), "", 0},
		} {
			cmd := prepare(random, c.command)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			cmd.Run()
			if stdout.String() != c.stdout || stderr.String() != c.stderr ||
				cmd.ProcessState.ExitCode() != c.code {
				t.Errorf("%v: %.100q %.100q %d", cmd.Args, stdout.String(), stderr.String(),
					cmd.ProcessState.ExitCode())
			}
		}
		cmd := prepare(nil, "echo $$; exec sleep 1000")
		var stdout testhost.Text
		cmd.Stdout = &stdout
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stdout.Await(t, "\n")
		cmd.Process.Signal(syscall.SIGINT)
		cmd.Wait()
		testend.Gone(t, pidIn(t, stdout.String()))
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "minissh"), "--timeout", "1s",
		"unix:"+socket, "sleep 1000").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 124 {
		t.Errorf("%s%v", out, err)
	}
}

func pidIn(t *testing.T, text string) int {
	t.Helper()
	line, _, _ := strings.Cut(text, "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// What minisshd.py does with channels, frame by frame.
func TestPythonDaemonChannels(t *testing.T) {
	socket, _ := pythonDaemon(t)
	home := t.TempDir()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, open, stdin, stdout, exit, reason string }{
		{"argv", `{"argv":["printf","%s|","a b","*"]}`, "", "a b|*|", `"code": 0`, ""},
		{"dir", `{"command":"pwd","dir":"` + home + `"}`, "", home + "\n", `"code": 0`, ""},
		{"old_dir", `{"command":"cd -","old_dir":"/"}`, "", "/\n", `"code": 0`, ""},
		{"env", `{"command":"echo \"$LC_X $FOO $USER\"","env":[["LC_X","é"],["FOO","no"]]}`, "",
			"é  " + me.Username + "\n", `"code": 0`, ""},
		{"length", `{"length":7}`, "cat; ec" + "rest", "rest", `"code": 127`, ""},
		{"length and stdin", `{"length":3}`, "cat" + "rest", "rest", `"code": 0`, ""},
		{"NUL", `{"length":3}`, "a\x00b", "", "", "bad_request"},
		{"too short", `{"length":7}`, "cat", "", "", "bad_request"},
		{"shell", `{"shell":true}`, "echo $0; exit 3", "-", `"code": 3`, ""},
		{"deadline", `{"argv":["sleep","1000"],"timeout_ms":100}`, "", "", `"how": "deadline"`, ""},
		{"no directory", `{"argv":["true"],"dir":"/nowhere"}`, "", "", "", "no_directory"},
		{"no program", `{"argv":["/nowhere"]}`, "", "", "", "start_failed"},
		{"no terminal", `{"command":"tty","pty":{}}`, "", "not a tty\n", `"code": 1`, ""},
		{"core", `{"command":"kill -ABRT $$"}`, "", "", `"signal": "ABRT"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := opened(t, socket, strings.Replace(c.open, "{", `{"service":"exec",`, 1))
			if c.stdin != "" {
				w.send(frame(typeStdin, 1, c.stdin))
			}
			w.send(frame(typeEOF, 1, "\x10"))
			got := w.until(toTheEnd)
			exits := strings.Join(got.exits, "")
			same := got.stdout == c.stdout || c.stdout == "-" && strings.HasPrefix(got.stdout, "-")
			if !same ||
				!strings.Contains(exits, c.exit) || (exits == "") != (c.exit == "") ||
				strings.TrimPrefix(got.reason, "CLOSE ") != c.reason ||
				len(got.notices) != strings.Count(c.open, "pty") {
				t.Errorf("%+v", got)
			}
		})
	}
}

// Credit, stopping, and the ends of links and of the daemon.
func TestPythonDaemonConduct(t *testing.T) {
	socket, daemon := pythonDaemon(t)
	exec := func(command string) string { return `{"service":"exec","command":"` + command + `"}` }
	line := func(all told) bool { return strings.HasSuffix(all.stdout, "\n") }
	noticed := func(all told) bool { return len(all.notices) > 0 }
	background := exec("sleep 1000 & echo $!; wait")

	t.Run("output waits for credit", func(t *testing.T) {
		w := opened(t, socket, exec("yes"))
		full := func(all told) bool { return len(all.stdout) >= 262144 }
		if got := w.until(full); len(got.stdout) != 262144 {
			t.Errorf("%d bytes", len(got.stdout))
		}
		if got, _ := w.verdict(); got != "none" {
			t.Error(got)
		}
		grant := func(total uint64) []byte {
			return frame(typeWindow, 1, string(binary.BigEndian.AppendUint64(nil, total)))
		}
		w.send(grant(262144 + 10))
		got := w.until(func(all told) bool { return len(all.stdout) >= 10 })
		w.send(frame(typeSignal, 1, `{"signal":"KILL"}`), grant(1<<60))
		if rest := w.until(toTheEnd); len(got.stdout) != 10 || !strings.Contains(
			strings.Join(rest.exits, ""), `"signal": "KILL"`) {
			t.Errorf("%+v %+v", got, rest)
		}
	})
	t.Run("CLOSE, GOODBYE and a lost link stop what runs", func(t *testing.T) {
		for _, end := range []func(*peer){
			func(w *peer) { w.send(frame(typeClose, 1, "{}")) },
			func(w *peer) { w.send(frame(typeGoodbye, 0, "{}")) },
			func(w *peer) { w.link.Close() },
			func(w *peer) { w.link.CloseWrite() },
			func(w *peer) { w.send([]byte("GET / HTTP/1.1\r\n\r\n")) },
		} {
			w := opened(t, socket, background)
			pid := pidIn(t, w.until(line).stdout)
			end(w)
			testend.Gone(t, pid)
		}
		w := opened(t, socket, background)
		w.until(line)
		w.send(frame(typeClose, 1, "{}"))
		if got := w.until(toTheEnd); !strings.Contains(strings.Join(got.exits, ""),
			`"how": "cancelled"`) {
			t.Errorf("%+v", got)
		}
	})
	t.Run("what ignores HUP gets KILL", func(t *testing.T) {
		w := opened(t, socket, exec("trap '' HUP; sleep 1000 & echo $!; wait"))
		pid := pidIn(t, w.until(line).stdout)
		w.send(frame(typeClose, 1, "{}"))
		got := w.until(toTheEnd)
		if !strings.Contains(strings.Join(got.exits, ""), `"how": "cancelled"`) {
			t.Errorf("%+v", got)
		}
		testend.Gone(t, pid)
	})
	t.Run("held output", func(t *testing.T) {
		w := opened(t, socket, exec("sleep 1000 & echo $!; exit 42"))
		got := w.until(noticed)
		pid := pidIn(t, got.stdout)
		if !strings.Contains(got.notices[0], `"code": 42`) {
			t.Errorf("%+v", got)
		}
		w.send(frame(typeClose, 1, "{}"))
		if got := w.until(toTheEnd); !strings.Contains(strings.Join(got.exits, ""), `"code": 42`) {
			t.Errorf("%+v", got)
		}
		if !testend.Alive(pid) { // it had ended by itself, so nothing is stopped (CH9)
			t.Error("what it left running was stopped")
		}
		syscall.Kill(pid, syscall.SIGKILL)
	})
	t.Run("no signal", func(t *testing.T) {
		w := opened(t, socket, background)
		w.until(line)
		w.send(frame(typeSignal, 1, `{"signal":"SEGV"}`))
		if got := w.until(noticed); !strings.Contains(got.notices[0], "signal_refused") {
			t.Errorf("%+v", got)
		}
	})
	t.Run("acknowledges what a client keeps", func(t *testing.T) {
		w := dialPython(t, socket)
		w.welcomed(map[string]any{"resend": 262144, "hold": 60})
		w.send(frame(typeOpen, 1, background))
		for kind, _, payload := w.next(); kind != typeAck; kind, _, payload = w.next() {
			if kind == 0 {
				t.Fatal(payload)
			}
		}
	})
	t.Run("no answer to one that half-closes", func(t *testing.T) {
		w := dialPython(t, socket)
		daemon.Process.Signal(syscall.SIGSTOP) // so that both arrive together
		testend.Until(t, "the daemon is stopped", func() bool {
			stat, err := os.ReadFile("/proc/" + strconv.Itoa(daemon.Process.Pid) + "/stat")
			return err == nil && strings.Contains(string(stat), ") T ")
		})
		w.send(frame(typeHello, 0, hello(t, nil)), frame(typeOpen, 1, background))
		w.link.CloseWrite()
		daemon.Process.Signal(syscall.SIGCONT)
		if kind, _, payload := w.next(); kind != 0 {
			t.Errorf("%#x %s", kind, payload)
		}
	})
	t.Run("too many commands", func(t *testing.T) {
		socket, _ := pythonDaemon(t)
		for i := range 5 { // 16 channels each that wait for their command, and 64 are allowed
			w := dialPython(t, socket)
			w.welcomed(nil)
			for channel := uint32(1); channel < 32; channel += 2 {
				w.send(frame(typeOpen, channel, `{"service":"exec","length":5}`))
			}
			want := 0
			if i == 4 {
				want = 16
			}
			if got, closes := w.verdict(); got != "none" || len(closes) != want ||
				want > 0 && closes[0] != "too_many_commands" {
				t.Errorf("%s %q", got, closes)
			}
		}
	})
	t.Run("refused", func(t *testing.T) {
		socket, _ := pythonDaemon(t)
		name := session()
		for range 32 {
			dialPython(t, socket).welcomed(nil)
		}
		for _, c := range []struct {
			first []byte
			want  string
		}{
			{frame(typePing, 0, "question"), "unexpected_frame"},
			{frame(typeHello, 0, hello(t, map[string]any{"user": ""})), "key_not_authorized"},
			{frame(typeHello, 0, hello(t, nil)), "too_many_sessions"},
		} {
			w := dialPython(t, socket)
			w.send(c.first)
			if kind, _, payload := w.next(); kind != typeError || code(payload) != c.want {
				t.Errorf("%#x %s, not %s", kind, payload, c.want)
			}
		}
		socket, _ = pythonDaemon(t)
		for _, want := range []string{"resume_mismatch", "session_ended"} {
			w := dialPython(t, socket)
			w.send(frame(typeHello, 0, hello(t, map[string]any{"session": name, "received": 5})))
			if kind, _, payload := w.next(); kind != typeError || code(payload) != want {
				t.Errorf("%#x %s, not %s", kind, payload, want)
			}
		}
	})
	t.Run("no HELLO", func(t *testing.T) {
		socket, _ := pythonDaemon(t, "--login-timeout", "0.3")
		w := dialPython(t, socket)
		if kind, _, payload := w.next(); kind != typeError || code(payload) != "login_timeout" {
			t.Errorf("%#x %s", kind, payload)
		}
	})
	t.Run("silence", silentPython)
	t.Run("TERM", func(t *testing.T) {
		w := opened(t, socket, background)
		pid := pidIn(t, w.until(line).stdout)
		idle := dialPython(t, socket)
		idle.welcomed(nil)
		daemon.Process.Signal(syscall.SIGTERM)
		kind, _, payload := idle.next()
		if kind != typeGoodbye || code(payload) != "shutting_down" {
			t.Errorf("%#x %s", kind, payload)
		}
		idle.link.Close()
		got := w.until(noticed)
		late := dialPython(t, socket)
		late.send(frame(typeHello, 0, hello(t, nil)))
		if kind, _, payload := late.next(); kind != typeError || code(payload) != "shutting_down" {
			t.Errorf("%#x %s", kind, payload)
		}
		w.send(frame(typeOpen, 3, background))
		if refused := w.until(toTheEnd); refused.reason != "CLOSE shutting_down" {
			t.Errorf("%+v", refused)
		}
		rest := w.until(toTheEnd)
		if !strings.Contains(strings.Join(got.notices, ""), "shutting_down") ||
			rest.refused != "shutting_down" || len(rest.exits) > 0 {
			t.Errorf("%+v %+v", got, rest)
		}
		testend.Gone(t, pid)
	})
}

// silentPython has a daemon whose clock goes 30 times as fast wait for two silent clients (SE6).
// One is lost, the other one has said that it is being stopped (RE6).
func silentPython(t *testing.T) {
	const fast = "import selectors; plain = selectors.DefaultSelector.select; " +
		"selectors.DefaultSelector.select = lambda s, t: plain(s, t and t / 30)\n"
	socket, _ := startPython(t, "-c", fast+atSpeed, "30", "minisshd.py")
	suspended := dialPython(t, socket)
	suspended.welcomed(nil)
	ping := frame(typePing, 0, "question")
	ping[5] = 1 // SUSPENDED
	suspended.send(ping)
	silent := dialPython(t, socket)
	silent.welcomed(nil)
	if kind, _, payload := silent.next(); kind != typePing {
		t.Errorf("%#x %s", kind, payload)
	}
	if kind, _, payload := silent.next(); kind != 0 {
		t.Errorf("%#x %s", kind, payload)
	}
	if got, _ := suspended.verdict(); got != "none" {
		t.Error(got)
	}
}
