//go:build linux

package friends_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

// Emacs' tramp edits files there, and runs programs there, over a shell that it talks to.
func TestTramp(t *testing.T) {
	t.Parallel()
	testhost.Need(t, "emacs")
	p := hosts(t)
	p.Write("big", strings.Repeat("0123456789 äöü\n", 100_000))
	p.Must(os.Mkdir(p.Path("there"), 0o700))
	script := p.Write("tramp.el", fmt.Sprintf(`
(require 'tramp)
(let ((default-directory "/ssh:n1:%[1]s/there/"))
  (with-temp-file (concat default-directory "a") (insert "hello\n"))
  (princ (format "%%S\n" (directory-files default-directory)))
  (princ (shell-command-to-string "cat a; pwd"))
  (princ (format "code %%S\n" (process-file "sh" nil nil nil "-c" "exit 7")))
  (copy-file "%[1]s/big" (concat default-directory "big"))
  (copy-file (concat default-directory "big") "%[1]s/back")
  (delete-file (concat default-directory "a")))
`, p.Dir))
	r := asSSH(p, nil, "emacs", "-Q", "--batch", "-l", script)
	want := `("." ".." "a")` + "\nhello\n" + p.Path("there") + "\ncode 7\n"
	if r.Code != 0 || r.Out != want {
		t.Errorf("%+v", r)
	}
	if p.Read("back") != p.Read("big") {
		t.Error("what was copied there and back is not the same")
	}
	if _, err := os.Stat(p.Path("there/a")); err == nil {
		t.Error("what was deleted is there")
	}
}

// Midnight Commander shows a folder there, and copies from it (sh://).
func TestMidnightCommander(t *testing.T) {
	t.Parallel()
	testhost.Need(t, "mc")
	testhost.Need(t, "tmux")
	p := hosts(t)
	for _, dir := range []string{"here", "there"} {
		p.Must(os.Mkdir(p.Path(dir), 0o700))
	}
	p.Write("there/file", strings.Repeat("text\n", 10_000))
	p.Write("there/b c", "x")
	tmux := func(args ...string) string {
		t.Helper()
		r := asSSH(p, []string{"TERM=xterm", "SHELL=/bin/sh"}, "tmux",
			append([]string{"-u", "-f", "/dev/null", "-S", p.Path("screen")}, args...)...)
		if r.Code != 0 {
			t.Fatalf("tmux %q: %+v", args, r)
		}
		return r.Out
	}
	tmux("new-session", "-d", "-x", "100", "-y", "30", "mc", "-u", "sh://n1"+p.Path("there"),
		p.Path("here"))
	defer tmux("kill-server")
	shows := func(text string) {
		t.Helper()
		testend.Until(t, "mc shows "+text, func() bool {
			return strings.Contains(tmux("capture-pane", "-p"), text)
		})
	}
	shows("b c")
	shows("file")
	tmux("send-keys", "M-*") // marks all files
	tmux("send-keys", "F5")
	shows("Copy")
	tmux("send-keys", "Enter")
	testend.Until(t, "all is here", func() bool {
		differ, err := testhost.Differences(p.Path("there"), p.Path("here"))
		return err == nil && differ == ""
	})
}

// duplicity keeps a backup there, by typing into sftp.
func TestDuplicity(t *testing.T) {
	t.Parallel()
	testhost.Need(t, "duplicity")
	p := place(t, 5<<20)
	p.Must(os.Mkdir(p.Path("there"), 0o700))
	for _, words := range [][]string{{"full", "src", "URL"}, {"restore", "URL", "back"}} {
		args := []string{words[0], "--no-encryption", "--num-retries", "1", "--archive-dir",
			p.Path("archive"), "--ssh-options=-S minissh"}
		for _, word := range words[1:] {
			args = append(args, strings.Replace(word, "URL",
				"pexpect+sftp://box/"+p.Path("there/backup"), 1))
		}
		if r := p.Run("duplicity", args...); r.Code != 0 {
			t.Fatalf("%s: %+v", words, r)
		}
	}
	p.Same("src", "back")
}

// VS Code runs a shell with a SOCKS port, tells it by standard input to start a server there, and
// connects to that through the port.
func TestVSCodesWay(t *testing.T) {
	t.Parallel()
	curl := testhost.Need(t, "curl")
	testhost.Need(t, "python3")
	p := hosts(t)
	p.Write("there/file", "hello\n")
	in, err := os.CreateTemp(p.Dir, "")
	p.Must(err)
	defer in.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	p.Must(err)
	_, socks, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	fmt.Fprintf(in, `cd %s && exec python3 -u -c '
import http.server
s = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print("listeningOn==%%d==" %% s.server_port)
s.serve_forever()'
`, filepath.Join(p.Dir, "there"))
	_, err = in.Seek(0, 0)
	p.Must(err)
	var out testhost.Text
	cmd := p.Command("minissh", "-v", "-T", "-D", socks, "-o", "ConnectTimeout=15", "n1", "bash")
	cmd.Stdin = in
	p.StartWith(cmd, &out, io.Discard)
	var port string
	testend.Until(t, "the server tells its port", func() bool {
		_, port, _ = strings.Cut(out.String(), "listeningOn==")
		port, _, _ = strings.Cut(port, "==")
		return port != ""
	})
	r := p.Run(curl, "-s", "--socks5", "127.0.0.1:"+socks, "http://127.0.0.1:"+port+"/file")
	if r.Out != "hello\n" {
		t.Errorf("%+v", r)
	}
}
