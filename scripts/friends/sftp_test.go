//go:build linux

package friends_test

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
	"minissh/scripts/wire"
)

// batch runs lines of sftp(1) over minissh, which must end with a code.
func batch(t *testing.T, p *testhost.Place, code int, lines ...string) testhost.Ran {
	t.Helper()
	file := p.Write("batch", strings.Join(lines, "\n")+"\n")
	r := p.Run("sftp", "-q", "-S", "minissh", "-b", file, "box")
	if r.Code != code {
		t.Errorf("sftp %q: %d instead of %d: %s%s", lines, r.Code, code, r.Out, r.Err)
	}
	return r
}

// sftp asks for the subsystem, whose server is the daemon's own: it does what OpenSSH's does.
func TestSftp(t *testing.T) {
	testhost.Need(t, "sftp")
	p := place(t, 100<<20)
	p.Must(os.Chmod(p.Path("src/sub dir"), 0o700))
	p.Must(os.Remove(p.Path("src/link"))) // sftp -r leaves links out
	there := p.Path("there")
	p.Must(os.Mkdir(there, 0o700))
	batch(t, p, 0, "put -r src "+there+"/tree", "get -r "+there+"/tree back", "put -p src/a "+there)
	p.Same("src", "there/tree")
	p.Same("src", "back")

	r := batch(t, p, 0, "cd "+there, "mkdir d", "chmod 750 d", "rename a d/b", "ln -s d/b soft",
		"ln d/b hard", "ls -l soft d", "df d", "rm hard", "pwd")
	for _, words := range []string{"soft\n", "rwxr-x---", "d/b", "%Capacity", there + "\n"} {
		if !strings.Contains(r.Out, words) {
			t.Errorf("%q is not in %s", words, r.Out)
		}
	}
	if target, err := os.Readlink(there + "/soft"); err != nil || target != "d/b" {
		t.Errorf("the link holds %q, %v", target, err)
	}
	if info, err := os.Stat(there + "/d"); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := os.Lstat(there + "/hard"); !os.IsNotExist(err) {
		t.Error("a file is not removed")
	}
	r = batch(t, p, 1, "get "+there+"/nothing")
	if !strings.Contains(r.Err, "not found") {
		t.Errorf("nothing: %+v", r)
	}
	// relative paths start at home
	p.Write("home/at home", "x")
	if r := batch(t, p, 0, "pwd"); !strings.Contains(r.Out, ": /") {
		t.Errorf("%+v", r)
	}
	for _, bad := range []string{"rmdir d/b", "rm d", "mkdir d", "rmdir d"} {
		batch(t, p, 1, "cd "+there, bad)
	}
	batch(t, p, 0, "cd "+there, "rm d/b", "rmdir d")
}

// scp has copied by sftp since OpenSSH 9.0; -O is its old protocol, a command.
func TestScp(t *testing.T) {
	testhost.Need(t, "scp")
	for _, way := range [][]string{{"-O"}, {"-s"}} {
		t.Run(way[0], func(t *testing.T) {
			p := place(t, 10<<20)
			d := p.Daemon()
			p.Must(os.Chmod(p.Path("src/sub dir"), 0o700))
			run := func(code int, args ...string) {
				t.Helper()
				all := append(append([]string{"-q", "-S", "minissh"}, way...), args...)
				if r := p.Run("scp", all...); r.Code != code {
					t.Errorf("%q: %+v", args, r)
				}
			}
			run(0, "-r", "-p", "src", "box:"+p.Path("there"))
			run(0, "-r", "-p", "-P", d.Port, "127.0.0.1:"+p.Path("there"), "back")
			run(0, "-r", "src", "box:"+p.Path("plain"))
			p.Must(os.Remove(p.Path("src/link"))) // scp follows links
			p.Must(os.Link(p.Path("src/a"), p.Path("src/link")))
			p.Same("src", "there")
			p.Same("src", "back")
			info, err := os.Stat(p.Path("plain/sub dir"))
			if err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("a folder that was closed to others is %v there, %v", info.Mode(), err)
			}
			run(1, "box:"+p.Path("nothing"), "none")
			me, err := user.Current()
			p.Must(err)
			from, err := filepath.Rel(me.HomeDir, p.Path("src/a"))
			p.Must(err)
			run(0, "box:~/"+from, "of home")
			p.Same("src/a", "of home")
		})
	}
}

// A name that is not offered, one that is refused, one that has a command, and a replaced sftp.
func TestSubsystems(t *testing.T) {
	p := testhost.New(t)
	p.Daemon("--subsystem", "who=cat; echo \"$0 $LANG\" >&2; exit 3", "--subsystem", "sftp=none")
	cmd := p.Command("minissh", "-s", "-o", "SendEnv=LANG", "box", "who")
	cmd.Stdin = strings.NewReader("asked\n")
	if r := p.RunCmd(cmd); r.Code != 3 || r.Out != "asked\n" ||
		!strings.HasSuffix(r.Err, " C.UTF-8\n") {
		t.Errorf("%+v", r)
	}
	for _, name := range []string{"sftp", "WHO", "who "} {
		r := p.Run("minissh", "-s", "box", name)
		if r.Code != 255 || !strings.Contains(r.Err, "there is no subsystem") {
			t.Errorf("%s: %+v", name, r)
		}
	}
	for _, bad := range []string{"x", "=true", "x=", "a b=true"} {
		if r := p.Run("minisshd", "check", "--subsystem", bad); r.Code != 1 ||
			!strings.Contains(r.Err, "--subsystem") {
			t.Errorf("%s: %+v", bad, r)
		}
	}
}

// A key for a folder: sftp and scp begin there, copy in the directions that the key allows, and
// reach nothing else.
func TestSftpInFolder(t *testing.T) {
	testhost.Need(t, "sftp")
	for mode, allowed := range map[string][2]bool{"": {true, true}, ",ro": {true, false},
		",wo": {false, true}} {
		p := testhost.New(t)
		p.Daemon()
		key := p.Read("authorized_keys")
		p.Write("authorized_keys", "minissh-files=\""+p.Path("drop")+mode+"\" "+key)
		p.Write("drop/there", "there\n")
		p.Write("secret", "secret\n")
		p.Write("mine", "mine\n")
		p.Must(os.Symlink("../secret", p.Path("drop/leak")))
		for _, get := range []string{"there", p.Path("drop/there")} {
			r := p.Run("scp", "-q", "-S", "minissh", "box:"+get, "got")
			if (r.Code == 0) != allowed[0] || (p.Read("got") == "there\n") != allowed[0] {
				t.Errorf("%q: get %s: %+v", mode, get, r)
			}
		}
		for _, put := range []string{"", "new", p.Path("drop/full")} {
			r := p.Run("scp", "-q", "-p", "-S", "minissh", "mine", "box:"+put)
			if (r.Code == 0) != allowed[1] {
				t.Errorf("%q: put %s: %+v", mode, put, r)
			}
		}
		if allowed[1] && p.Read("drop/mine")+p.Read("drop/new")+p.Read("drop/full") !=
			strings.Repeat("mine\n", 3) {
			t.Errorf("%q: what was put is not there", mode)
		}
		for _, line := range []string{"get " + p.Path("secret"), "get ../secret", "get leak",
			"put mine ../secret", "put mine leak", "cd ..", "rename there ../there",
			"ln -s /etc etc", "rm ../secret"} {
			batch(t, p, 1, line)
		}
		if p.Read("secret") != "secret\n" {
			t.Errorf("%q: the secret is %q", mode, p.Read("secret"))
		}
	}
}

// A link that is lost under sftp is replaced, and nobody notices.
func TestSftpResumes(t *testing.T) {
	testhost.Need(t, "sftp")
	p := place(t, 20<<20)
	d := p.Daemon()
	cut := wire.Cut{Way: wire.OfKind("reset")[0]}
	relay, err := wire.Listen("127.0.0.1:"+d.Port, func(n int) wire.Fate {
		switch n {
		case 0:
			return wire.Fate{Cut: &cut, Up: 5 << 20}
		case 1:
			return wire.Fate{Cut: &cut, Down: 7 << 20}
		}
		return wire.Fate{}
	})
	p.Must(err)
	defer relay.Close()
	p.Knows("far", relay.Port())
	p.Write("batch", "put src/big "+p.Path("there")+"\nget "+p.Path("there")+" back\n")
	r := p.Run("sftp", "-S", "minissh", "-b", p.Path("batch"), "far")
	if r.Code != 0 || len(relay.Past()) != 2 {
		t.Errorf("%+v, links: %+v", r, relay.Past())
	}
	if big := p.Read("src/big"); p.Read("there") != big || p.Read("back") != big {
		t.Error("the copies differ")
	}
}

// sftp has its ssh ignore Ctrl-C: sftp itself stops a transfer, and goes on.
func TestSubsystemInterrupted(t *testing.T) {
	p := testhost.New(t)
	p.Daemon("--subsystem", "echo=echo ready; cat")
	for how, code := range map[string]int{"trap '' INT; ": 0, "": 130} {
		cmd := p.Command("sh", "-c", how+"exec minissh -s box echo")
		in, err := cmd.StdinPipe()
		p.Must(err)
		var out testhost.Text
		cmd.Stdout = &out
		p.Must(cmd.Start())
		out.Await(t, "ready\n")
		p.Must(cmd.Process.Signal(syscall.SIGINT))
		if code == 0 {
			in.Write([]byte("goes on\n"))
			out.Await(t, "goes on\n")
			in.Close()
		}
		cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Errorf("%q: %d, %s", how, got, out.String())
		}
	}
}

// When sftp is killed, or minissh under it, the server there ends too. Each is reading a
// file that is too large to end.
func TestSftpKilled(t *testing.T) {
	testhost.Need(t, "sftp")
	for _, victim := range []string{"sftp", "minissh"} {
		t.Run(victim, func(t *testing.T) {
			t.Parallel()
			p := testhost.New(t)
			d := p.Daemon("--hold", "0")
			p.Write("rsh", "#!/bin/sh\necho $$ >"+p.Path("minissh.pid")+"\nexec minissh \"$@\"\n")
			p.Must(os.Chmod(p.Path("rsh"), 0o700))
			p.Must(os.Truncate(p.Write("huge", ""), 1<<40))
			p.Write("batch", "get "+p.Path("huge")+" here\n")
			cmd := p.Command("sftp", "-q", "-l", "8000", "-S", p.Path("rsh"), "-b", p.Path("batch"),
				"box")
			p.Must(cmd.Start())
			testend.Until(t, "bytes come", func() bool {
				info, err := os.Stat(p.Path("here"))
				return err == nil && info.Size() > 0
			})
			_, said, _ := strings.Cut(d.Log.String(), "Starting subsystem")
			_, number, _ := strings.Cut(said, "pid=")
			number, _, _ = strings.Cut(number, " ")
			server, err := strconv.Atoi(number)
			p.Must(err)
			if victim == "sftp" {
				cmd.Process.Kill()
			} else {
				signalTo(t, p, "minissh.pid", syscall.SIGKILL)
			}
			cmd.Wait()
			testend.Gone(t, server)
			gone(t, p, "minissh.pid")
		})
	}
}
