//go:build unix

package scripts

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"minissh/scripts/testhost"
)

// TestPythonClient runs minissh.py, a client written from PROTOCOL.md alone, against a real
// minisshd: over TCP with a key that `minissh identity` wrote, and over a Unix socket.
func TestPythonClient(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("not run: needs python3")
	}
	dir := t.TempDir()
	run := func(stdin io.Reader, name string, args ...string) (stdout, stderr string, code int) {
		t.Helper()
		cmd := exec.Command(name, args...)
		var out, errOut bytes.Buffer
		cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, stdin, &out, &errOut
		if err := cmd.Run(); cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
	}
	must := func(name string, args ...string) {
		t.Helper()
		if out, errOut, code := run(nil, name, args...); code != 0 {
			t.Fatalf("%s %v: %d\n%s%s", name, args, code, out, errOut)
		}
	}
	if err := testhost.Build(t.Context(), dir, false); err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("not run: needs ssh-keygen")
	}
	must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, "key"))
	public, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "authorized_keys"), public, 0o600); err != nil {
		t.Fatal(err)
	}
	must(filepath.Join(dir, "minissh"), "identity", "-i", "key", "--pem", "key.pem")

	ready := startDaemon(t, dir, "127.0.0.1:0", "unix:socket")
	told := regexp.MustCompile(`127\.0\.0\.1:(\d+).*(SHA256:\S+)`).FindStringSubmatch(ready)
	if told == nil {
		t.Fatalf("%q", ready)
	}
	script, err := filepath.Abs("minissh.py")
	if err != nil {
		t.Fatal(err)
	}
	through := func(port string) []string {
		return []string{script, "--port", port, "--pem", "key.pem", "--host-key", told[2]}
	}
	tcp := append(through(told[1]), "127.0.0.1")
	random := make([]byte, 8<<20) // many times the window, both ways
	rand.NewChaCha8([32]byte{}).Read(random)
	for _, carrier := range []struct {
		name string
		args []string
	}{{"tcp", tcp}, {"unix", []string{script, "unix:socket"}}} {
		t.Run(carrier.name, func(t *testing.T) {
			with := func(words ...string) []string {
				return append(carrier.args[:len(carrier.args):len(carrier.args)], words...)
			}
			stdout, stderr, code := run(nil, python, with("echo out; echo err >&2; exit 7")...)
			if stdout != "out\n" || stderr != "err\n" || code != 7 {
				t.Errorf("%q %q %d", stdout, stderr, code)
			}
			stdout, stderr, code = run(bytes.NewReader(random), python, with("cat")...)
			if sha256.Sum256([]byte(stdout)) != sha256.Sum256(random) || code != 0 {
				t.Errorf("%d bytes came back of %d, exit code %d, %s", len(stdout), len(random),
					code, stderr)
			}
			if _, _, code = run(nil, python, with("kill -TERM $$")...); code != 143 {
				t.Errorf("killed by TERM: %d", code)
			}
			// HELLO and OPEN leave together, in the largest TLS records.
			stdout, stderr, code = run(nil, python,
				with("printf "+strings.Repeat("x", 60_000)+" | wc -c")...)
			if strings.TrimSpace(stdout) != "60000" || code != 0 {
				t.Errorf("a long command: %q %q %d", stdout, stderr, code)
			}
		})
	}
	t.Run("resume", func(t *testing.T) {
		resumePython(t, dir, python, told[1], through, random)
		scriptedPython(t, python, script)
	})
	wrong := append([]string{}, tcp...)
	wrong[6] = "SHA256:" + strings.Repeat("A", 43)
	if stdout, stderr, code := run(nil, python, append(wrong, "echo", "entered")...); code != 255 ||
		stdout != "" {
		t.Errorf("a wrong host key: %q %q %d", stdout, stderr, code)
	}
	t.Run("fetch", func(t *testing.T) {
		fetch := func(words ...string) (string, string, int) {
			t.Helper()
			return run(nil, python,
				append([]string{filepath.Join(filepath.Dir(script), "fetch.py"), "socket"},
					words...)...)
		}
		if stdout, stderr, code := fetch("run",
			"echo out; echo err >&2; exit 7"); stdout != "out\n" || stderr != "err\n" || code != 7 {
			t.Errorf("%q %q %d", stdout, stderr, code)
		}
		fetchTree(t, dir, random, fetch)
	})
	for _, args := range [][]string{nil, {"--help"}, {"host"}} {
		if stdout, stderr, code := run(nil, python,
			append([]string{script}, args...)...); code != 255 || stdout != "" ||
			!strings.Contains(stderr, "[user@]HOST command") {
			t.Errorf("typed %q: %q %q %d", args, stdout, stderr, code)
		}
	}
}

// startDaemon starts the minisshd of a folder, and returns the line in which it says that it is
// ready.
func startDaemon(t *testing.T, dir string, addresses ...string) string {
	t.Helper()
	args := []string{"--control", "none", "--host-key", "host_key", "--authorized-keys",
		"authorized_keys"}
	for _, address := range addresses {
		args = append(args, "--listen", address)
	}
	daemon := exec.Command(filepath.Join(dir, "minisshd"), args...)
	daemon.Dir = dir
	out, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		daemon.Process.Signal(syscall.SIGTERM)
		daemon.Wait()
	})
	ready, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return ready
}

// fetchTree has fetch.py, which shares no code with minissh, copy what a receiver must take: files
// of one record and of many, names that are not UTF-8, folders, links, more entries than one answer
// may stand for; and what cannot be sent.
func fetchTree(t *testing.T, dir string, random []byte, fetch func(words ...string) (string, string,
	int)) {
	source, target := filepath.Join(dir, "source"), filepath.Join(dir, "target")
	want := map[string]string{"large": string(random), "empty": "", "a b/\xff\xfe": "x",
		"hidden/.x": "y", "record": string(random[:262144])}
	for i := range 200 {
		want["many/"+strings.Repeat("f", i%7+1)+string(rune('A'+i%26))+strings.Repeat("g", i/26)] =
			strings.Repeat("z", i)
	}
	for name, content := range want {
		if err := os.MkdirAll(filepath.Join(source, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(source, name), []byte(content), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{
		os.Symlink("../nowhere", filepath.Join(source, "link")), os.Mkdir(target, 0o755),
		syscall.Mkfifo(filepath.Join(source, "pipe"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if stdout, stderr, code := fetch("get", source, target); code != 1 || stdout != "" ||
		!strings.Contains(stderr, "not_copied") {
		t.Errorf("%q %q %d", stdout, stderr, code)
	}
	got := map[string]string{}
	err := filepath.WalkDir(target, func(path string, d os.DirEntry, err error) error {
		name := strings.TrimPrefix(path, target+"/source/")
		switch {
		case err != nil || d.IsDir():
			return err
		case d.Type()&os.ModeSymlink != 0:
			to, err := os.Readlink(path)
			if name != "link" || to != "../nowhere" {
				t.Errorf("the link %s leads to %q", name, to)
			}
			return err
		}
		content, err := os.ReadFile(path)
		got[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range want {
		if found, ok := got[name]; !ok || found != content {
			t.Errorf("%q: %d bytes of %d, %v", name, len(found), len(content), ok)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("%q is there too", name)
	}
	if info, err := os.Stat(filepath.Join(target, "source/large")); err != nil ||
		info.Mode().Perm() != 0o640 {
		t.Errorf("%v %v", info, err)
	}
}
