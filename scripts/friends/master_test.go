//go:build linux

package friends_test

import (
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

// needFile is testhost.Need for a module.
func needFile(t *testing.T, name string) {
	t.Helper()
	if _, err := os.Stat(name); err != nil {
		t.Skip("not run: needs " + name)
	}
}

// Net::OpenSSH waits for the socket of a master process, asks for its id, and runs each command
// with the socket's name. At the end it asks the master to end.
func TestNetOpenSSH(t *testing.T) {
	t.Parallel()
	needFile(t, "/usr/share/perl5/Net/OpenSSH.pm")
	perl := testhost.Need(t, "perl")
	p := testhost.New(t)
	p.Daemon()
	p.Must(os.Mkdir(p.Path("ctl"), 0o700))
	p.Write("run.pl", `use Net::OpenSSH;
my $ssh = Net::OpenSSH->new('box', ssh_cmd => 'minissh', ctl_dir => 'ctl');
$ssh->error and die "error: " . $ssh->error;
kill(0, $ssh->get_master_pid) and print "alive ", $ssh->check_master ? 1 : 0, "\n";
my ($out, $err) = $ssh->capture2('echo out; echo err >&2; exit 3');
print "$out$err", $? >> 8, "\n";
$ssh->system({ stdin_data => 'text' }, 'cat >got');
print scalar($ssh->capture('seq', '3')) =~ tr/\n//, "\n";
`)
	r := p.Run(perl, "run.pl")
	if want := "alive 1\nout\nerr\n3\n3\n"; r.Out != want || r.Code != 0 || r.Err != "" {
		t.Errorf("%+v, want %q", r, want)
	}
	if left, err := os.ReadDir(p.Path("ctl")); len(left) > 0 || err != nil {
		t.Errorf("left in ctl: %v, %v", left, err)
	}
}

// Rex runs tasks over Net::OpenSSH, and copies by sftp.
func TestRex(t *testing.T) {
	t.Parallel()
	rex := testhost.Need(t, "rex")
	p := testhost.New(t)
	d := p.Daemon()
	p.Must(os.Mkdir(p.Path("ctl"), 0o700))
	p.Write("src", "text\n")
	me, err := user.Current()
	p.Must(err)
	p.Write("Rexfile", fmt.Sprintf(`use Rex -feature => ['1.4'];
set connection => 'OpenSSH';
user '%s';
private_key '%s';
Rex::Config->set_openssh_opt(
	initialize_options => { ssh_cmd => 'minissh', ctl_dir => 'ctl' });
task 'try', '127.0.0.1:%s', sub {
	print run('echo "out $((6*7))"'), "\n";
	run('exit 3', auto_die => 0); print "$?\n";
	upload 'src', '%s';
	print is_file('%[4]s') ? "there\n" : "not there\n";
};
`, me.Username, p.Path("home/.ssh/id_ed25519"), d.Port, p.Path("there")))
	r := asSSH(p, nil, rex, "-q", "-f", "Rexfile", "try")
	if want := "out 42\n3\nthere\n"; r.Out != want || r.Code != 0 ||
		p.Read("there") != p.Read("src") {
		t.Errorf("%+v, want %q", r, want)
	}
}

// plumbum takes any program for ssh.
func TestPlumbum(t *testing.T) {
	t.Parallel()
	python := "/usr/bin/python3" // Debian's, which has Debian's modules
	needFile(t, "/usr/lib/python3/dist-packages/plumbum/__init__.py")
	p := testhost.New(t)
	p.Daemon()
	p.Write("run.py", `import plumbum
box = plumbum.SshMachine("box", ssh_command=plumbum.local["minissh"])
print(box["echo"]("a  'b'"), end="")
print((box["seq"]["3"] | box["wc"]["-l"])(), end="")
print(box["sh"]["-c", "exit 3"].run(retcode=3)[0])
box.close()
`)
	r := p.Run(python, "run.py")
	if want := "a  'b'\n3\n3\n"; r.Out != want || r.Code != 0 {
		t.Errorf("%+v, want %q", r, want)
	}
}

// ownSocket starts a process that owns the socket s, over whose connection others' commands run.
func ownSocket(t *testing.T, p *testhost.Place) *testhost.Daemon {
	t.Helper()
	p.Daemon()
	owner := p.Start(p.Command("minissh", "-N", "-M", "-S", "s", "box"))
	testend.Until(t, "the socket is there", func() bool {
		_, err := os.Stat(p.Path("s"))
		return err == nil
	})
	return owner
}

// Whoever asks and goes away leaves nothing in the owner, also while its output waits for a reader;
// whoever stays is told why its command was cut off.
func TestSharedOutput(t *testing.T) {
	t.Parallel()
	ssh := testhost.Need(t, "ssh")
	p := testhost.New(t)
	owner := ownSocket(t, p)
	open := func() int {
		files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", owner.Cmd.Process.Pid))
		p.Must(err)
		return len(files)
	}
	p.Run(ssh, "-S", "s", "x", "true")
	before := open()
	read, write, err := os.Pipe() // nobody reads
	p.Must(err)
	defer read.Close()
	cmd := p.Command(ssh, "-S", "s", "x", "echo $$ >'"+p.Path("pid")+"'; exec yes")
	cmd.Stdout = write
	p.Must(cmd.Start())
	write.Close()
	there := id(t, p, "pid")
	testend.Until(t, "the pipe is full", func() bool {
		n, err := unix.IoctlGetInt(int(read.Fd()), unix.TIOCINQ)
		return err == nil && n == 64<<10
	})
	cmd.Process.Kill()
	cmd.Wait()
	testend.Gone(t, there)
	testend.Until(t, "the owner has closed its files", func() bool { return open() <= before })
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	p.Must(err)
	defer full.Close()
	cmd = p.Command(ssh, "-S", "s", "x", "echo text")
	cmd.Stdout = full
	if r := p.RunCmd(cmd); r.Code != 255 || !strings.Contains(r.Err, "no space left") {
		t.Errorf("%+v", r)
	}
}

// OpenSSH's own programs run over the connection of a minissh that owns their ControlPath.
func TestSharedConnection(t *testing.T) {
	t.Parallel()
	ssh := testhost.Need(t, "ssh")
	for _, name := range []string{"scp", "sftp"} {
		testhost.Need(t, name)
	}
	p := place(t, 5<<20)
	p.Must(os.Remove(p.Path("src/link"))) // scp follows links
	ownSocket(t, p)
	run := func(stdin, name string, args ...string) testhost.Ran {
		t.Helper()
		cmd := p.Command(name, args...)
		cmd.Stdin = strings.NewReader(stdin)
		return p.RunCmd(cmd)
	}
	long := strings.Repeat("x", 20_000)
	for _, row := range []struct {
		line, stdin string
		want        testhost.Ran
	}{
		{"cat; echo err >&2; exit 3", "in\n", testhost.Ran{Code: 3, Out: "in\n", Err: "err\n"}},
		{"kill -KILL $$", "", testhost.Ran{Code: 128 + 9}},
		{"printf %s " + long, "", testhost.Ran{Out: long}},
		{"head -c 4", strings.Repeat("much", 1<<20), testhost.Ran{Out: "much"}},
	} {
		if r := run(row.stdin, ssh, "-S", "s", "x", row.line); r != row.want {
			t.Errorf("%.50s: %+v", row.line, r)
		}
	}
	if r := run("", ssh, "-S", "s", "-o", "SetEnv=LC_TEST=a=b", "x", "echo $LC_TEST"); r.Out !=
		"a=b\n" {
		t.Errorf("%+v", r)
	}
	if r := run("echo $((6*7))\n", ssh, "-T", "-S", "s", "x"); r.Out != "42\n" {
		t.Errorf("a login shell: %+v", r)
	}
	if r := run("", "scp", "-q", "-r", "-p", "-o", "ControlPath="+p.Path("s"), "src",
		"x:"+p.Path("there")); r.Code != 0 {
		t.Errorf("%+v", r)
	}
	p.Same("src", "there")
	if r := run("get -r there back\n", "sftp", "-q", "-b", "-", "-o",
		"ControlPath="+p.Path("s"), "x:"+p.Dir); r.Code != 0 {
		t.Errorf("%+v", r)
	}
	p.Same("src", "back")
	if r := run("", ssh, "-s", "-S", "s", "x", "nothing"); r.Code != 255 ||
		!strings.Contains(r.Err, "nothing") {
		t.Errorf("a subsystem that is not there: %+v", r)
	}
	// whoever kills the process that asked ends what runs there
	killed := p.Start(p.Command(ssh, "-S", "s", "x",
		"echo $$ >'"+p.Path("pid")+"'; exec sleep 999"))
	there := id(t, p, "pid")
	killed.Cmd.Process.Kill()
	testend.Gone(t, there)
	// the owner waits for what runs over its connection
	if r := run("", ssh, "-S", "s", "-O", "exit", "x"); r.Code != 0 {
		t.Errorf("%+v", r)
	}
}

// A command on a terminal, whose size changes.
func TestSharedTerminal(t *testing.T) {
	t.Parallel()
	ssh := testhost.Need(t, "ssh")
	testhost.Need(t, "python3")
	p := testhost.New(t)
	ownSocket(t, p)
	terminal, theirs, err := pty.Open()
	p.Must(err)
	defer terminal.Close()
	p.Must(pty.Setsize(terminal, &pty.Winsize{Rows: 33, Cols: 77}))
	cmd := p.Command(ssh, "-t", "-S", "s", "x",
		"exec python3 -uc 'import os, signal\n"+
			"def tell(*_): print(*os.get_terminal_size())\n"+
			"signal.signal(signal.SIGWINCH, tell); tell()\n"+
			"while True: signal.pause()'")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	p.Must(cmd.Start())
	theirs.Close()
	shown := new(testhost.Text)
	go io.Copy(shown, terminal)
	shown.Await(t, "77 33")
	p.Must(pty.Setsize(terminal, &pty.Winsize{Rows: 40, Cols: 90}))
	shown.Await(t, "90 40")
	_, err = io.WriteString(terminal, "\r~.")
	p.Must(err)
	if cmd.Wait(); cmd.ProcessState.ExitCode() != 255 {
		t.Errorf("%v: %q", cmd.ProcessState, shown)
	}
}

// ~d in an ssh that uses our connection makes a job of what runs, as in minissh itself.
func TestSharedDetach(t *testing.T) {
	t.Parallel()
	ssh := testhost.Need(t, "ssh")
	p := testhost.New(t)
	ownSocket(t, p)
	terminal, theirs, err := pty.Open()
	p.Must(err)
	defer terminal.Close()
	cmd := p.Command(ssh, "-t", "-S", "s", "x",
		"echo before; cat; exit 6")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	p.Must(cmd.Start())
	theirs.Close()
	shown := new(testhost.Text)
	go io.Copy(shown, terminal)
	shown.Await(t, "before")
	_, err = io.WriteString(terminal, "\r~?")
	p.Must(err)
	shown.Await(t, "~d makes a job of it")
	_, err = io.WriteString(terminal, "\r~d")
	p.Must(err)
	if cmd.Wait(); cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("%v: %q", cmd.ProcessState, shown)
	}
	shown.Await(t, "\r\njob ")
	_, after, _ := strings.Cut(shown.String(), "\r\njob ")
	id, _, _ := strings.Cut(after, " ")
	t.Cleanup(func() { p.Run("minissh", "job", "remove", "box", id) })
	if r := p.Run("minissh", "job", "list", "box"); !strings.Contains(r.Out, id) {
		t.Errorf("%+v; %q", r, shown)
	}
	if r := p.Run("minissh", "job", "stop", "box", id); r.Code != 0 {
		t.Errorf("%+v", r)
	}
}

// ssh-copy-id -s puts a key there by sftp, which is Debian's own, over our connection.
func TestSSHCopyID(t *testing.T) {
	t.Parallel()
	testhost.Need(t, "sftp")
	copyID := testhost.Need(t, "ssh-copy-id")
	p := testhost.New(t)
	p.Must(os.Mkdir(p.Path("there"), 0o700))
	p.Write("authorized_keys", `minissh-files="`+p.Path("there")+`" `+p.Read("authorized_keys"))
	p.Daemon()
	p.Must(os.Mkdir(p.Path("fake"), 0o700))
	p.Must(os.Symlink(filepath.Join(testhost.Bin, "minissh"), p.Path("fake/ssh")))
	p.Key(p.Path("new"))
	r := asSSH(p, nil, copyID, "-s", "-i", "new", "box")
	if want := p.Read("new.pub"); r.Code != 0 || p.Read("there/.ssh/authorized_keys") != want {
		t.Errorf("%+v", r)
	}
}
