//go:build linux

package sections_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

// jail makes a directory that may be a root, with a folder of the account's, and programs if asked.
func (w *world) jail(path, user string, programs bool) {
	w.t.Helper()
	w.must("mkdir", "-p", path+"/up", path+"/etc")
	w.must("chown", user, path+"/up")
	w.put(path+"/etc/motto", "inside\n")
	if !programs {
		return
	}
	for _, top := range []string{"usr", "bin", "lib", "lib64"} {
		w.must("sh", "-c", `if [ -L "/$1" ]; then cp -P "/$1" "$2/"; elif [ -d "/$1" ]; then
			mkdir "$2/$1" && mount --bind "/$1" "$2/$1"; fi`, "sh", top, path)
	}
}

// The usual recipe for accounts that may only copy files does for minisshd what it does for sshd:
// with real sftp by either client, and with minissh cp.
func TestOnlySFTP(t *testing.T) {
	testhost.Need(t, "sftp")
	w := newWorld(t)
	w.jail("/run/jail/ann-of-test", "ann-of-test", false)
	w.must("mkdir", "-p", "/run/jail/ann-of-test/home/ann-of-test")
	w.start(`Match Group staff-of-test
ChrootDirectory /run/jail/%u
ForceCommand internal-sftp
AllowTcpForwarding no
AllowAgentForwarding no
PermitTTY no
`, "")
	file := w.Write("file", "text")
	for _, daemon := range []string{"sshd", "minisshd"} {
		cmd := w.client(daemon, login{user: "ann-of-test"}, "HOST")
		args := append([]string{"-S", cmd.Path, "-b", "-"}, cmd.Args[1:len(cmd.Args)-3]...)
		for i, arg := range args {
			switch arg {
			case "-p":
				args[i] = "-P"
			case "-b":
				if args[i+1] != "-" {
					args[i], args[i+1] = "-o", "BindAddress="+args[i+1]
				}
			}
		}
		sftp := w.Command("sftp", append(args, "ann-of-test@127.0.0.1")...)
		sftp.Stdin = strings.NewReader("pwd\nput " + file + " /up/" + daemon +
			"\nget /etc/motto " + w.Path("motto-"+daemon) + "\n-put " + file + " /etc/motto\n" +
			"-get /etc/passwd " + w.Path("passwd") + "\nls -1 /\n")
		ran := w.RunCmd(sftp)
		t.Log(ran.Out + ran.Err)
		if w.must("cat", "/run/jail/ann-of-test/up/"+daemon) != "text" ||
			w.Read("motto-"+daemon) != "inside\n" {
			t.Errorf("%s: %s%s", daemon, ran.Out, ran.Err)
		}
		for _, want := range []string{"working directory: /home/ann-of-test", "/etc\n", "/home\n",
			"/up\n"} {
			if !strings.Contains(ran.Out, want) {
				t.Errorf("%s: no %q in %s%s", daemon, want, ran.Out, ran.Err)
			}
		}
		ran = w.run(daemon, login{user: "ann-of-test"}, "id")
		if !strings.Contains(ran.Out+ran.Err, "his service allows sftp connections only") {
			t.Errorf("%s runs id: %s%s", daemon, ran.Out, ran.Err)
		}
	}
	if w.must("cat", "/run/jail/ann-of-test/etc/motto") != "inside\n" {
		t.Error("a file of root's was changed")
	}
	at := []string{"-F", "none", "-o", "Port=" + w.port["minisshd"], "-o",
		"UserKnownHostsFile=" + w.Path("known_minisshd")}
	cp := func(from, to string) testhost.Ran {
		return w.RunCmd(w.Command("minissh", append(append([]string{"cp"}, at...), from, to)...))
	}
	if ran := cp(file, "ann-of-test@127.0.0.1:/up/cp"); ran.Code != 0 ||
		w.must("cat", "/run/jail/ann-of-test/up/cp") != "text" {
		t.Errorf("%d %s", ran.Code, ran.Err)
	}
	if owner := w.must("stat", "-c", "%U", "/run/jail/ann-of-test/up/cp"); owner !=
		"ann-of-test\n" {
		t.Errorf("the file is %s's", owner)
	}
	if ran := cp("ann-of-test@127.0.0.1:/etc/motto", w.Path("motto-cp")); ran.Code != 0 ||
		w.Read("motto-cp") != "inside\n" {
		t.Errorf("%d %s", ran.Code, ran.Err)
	}
	if ran := cp("ann-of-test@127.0.0.1:/etc/passwd", w.Path("passwd")); ran.Code == 0 {
		t.Error("a file outside was copied")
	}
}

// With PAM, whose program needs its libraries, helpers and commands are inside as well.
func TestChrootWithPAM(t *testing.T) {
	w := newWorld(t)
	w.built = w.WithPAM()
	w.put("/etc/pam.d/minisshd", "account required pam_unix.so\nsession required pam_unix.so\n")
	w.jail("/run/jail", "bob-of-test", true)
	w.startOurs("pam yes\nchroot-directory /run/jail\n")
	bob := login{user: "bob-of-test"}
	if ran := w.run("minisshd", bob, "cat /etc/motto; id -u"); !strings.HasPrefix(ran.Out,
		"inside\n") || strings.HasSuffix(ran.Out, "\n0\n") {
		t.Errorf("%d %q %s", ran.Code, ran.Out, ran.Err)
	}
	ran := w.RunCmd(w.Command("minissh", "cp", "-F", "none", "-o", "Port="+w.port["minisshd"], "-o",
		"UserKnownHostsFile="+w.Path("known_minisshd"), "bob-of-test@127.0.0.1:/etc/motto",
		w.Path("motto")))
	if ran.Code != 0 || w.Read("motto") != "inside\n" {
		t.Errorf("%d %s %s", ran.Code, ran.Err, w.daemon.Log)
	}
}

// Commands and shells are inside, with the account's ids and nothing of root's.
func TestChroot(t *testing.T) {
	w := newWorld(t)
	w.jail("/run/jail", "bob-of-test", true)
	w.start("Match User bob-of-test\nChrootDirectory /run/jail\n", "")
	bob := login{user: "bob-of-test"}
	look := "cat /etc/motto; pwd; id -u; id -G; ls -1d /*; echo $HOME; " +
		"cat /proc/self/status 2>&1; cd / && cd .. && pwd; chroot . true 2>/dev/null || echo held"
	var outs []string
	for _, daemon := range []string{"sshd", "minisshd"} {
		ran := w.run(daemon, bob, look)
		outs = append(outs, ran.Out)
		if !strings.HasPrefix(ran.Out, "inside\n/\n") || !strings.HasSuffix(ran.Out, "held\n") {
			t.Errorf("%s: %q %s", daemon, ran.Out, ran.Err)
		}
		if shell := w.client(daemon, bob, "HOST"); shell != nil {
			shell.Stdin = strings.NewReader("cat /etc/motto; exit 3\n")
			if ran := w.RunCmd(shell); ran.Out != "inside\n" || ran.Code != 3 {
				t.Errorf("%s: a shell: %d %q %s", daemon, ran.Code, ran.Out, ran.Err)
			}
		}
	}
	onTTY := w.RunCmd(w.client("minisshd", bob, "-tt", "HOST", "test -t 0 && cat /etc/motto"))
	if onTTY.Out != "inside\r\n" {
		t.Errorf("a terminal: %d %q %s", onTTY.Code, onTTY.Out, onTTY.Err)
	}
	if outs[0] != outs[1] {
		t.Errorf("sshd: %q ours: %q", outs[0], outs[1])
	}
	w.forwards(bob, "/run/jail")
	for _, words := range [][]string{{"--detach", "HOST", "true"},
		{"-W", "/run/nothing", "HOST"}, {"-R", "/up/s:127.0.0.1:1", "-o",
			"ExitOnForwardFailure=yes", "HOST", "true"}} {
		ran := w.RunCmd(w.client("minisshd", bob, words...))
		if ran.Code != 255 || !strings.Contains(ran.Err, "chroot-directory in the daemon's") {
			t.Errorf("%v: %d %s%s", words, ran.Code, ran.Out, ran.Err)
		}
	}
}

// forwards reads a line through a forward by minisshd, and looks whether all processes of the
// account have their root where it is confined: whoever reaches one of them has what it has.
func (w *world) forwards(who login, root string) {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.Must(err)
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	at := w.Path("forwarded")
	client := w.Start(w.client("minisshd", who, "-N", "-L", at+":127.0.0.1:"+port, "HOST"))
	testend.Until(w.t, "it listens", func() bool { _, err := os.Stat(at); return err == nil })
	near, err := net.Dial("unix", at)
	w.Must(err)
	defer near.Close()
	l.(*net.TCPListener).SetDeadline(time.Now().Add(testhost.Patience))
	far, err := l.Accept()
	if err != nil {
		w.t.Fatalf("%v %s%s", err, client.Log, w.daemon.Log)
	}
	fmt.Fprintln(far, "through")
	if line, err := bufio.NewReader(near).ReadString('\n'); line != "through\n" {
		w.t.Errorf("%q, %v", line, err)
	}
	uid := strings.TrimSpace(w.must("id", "-u", who.user))
	held := 0
	names, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, name := range names {
		text, _ := os.ReadFile(name)
		if !strings.Contains(string(text), "\nUid:\t"+uid+"\t") {
			continue
		}
		is, err := os.Readlink(filepath.Dir(name) + "/root")
		if err != nil {
			continue // it has ended
		}
		if held++; !strings.HasSuffix(is, root) {
			w.t.Errorf("%s of the account has its root at %s", filepath.Dir(name), is)
		}
	}
	if held == 0 {
		w.t.Error("no process of the account forwards")
	}
	far.Close()
	w.Must(client.Cmd.Process.Kill())
	<-client.Done
}

// A root that others could change, or that is reached by a link, is refused, as is one that is not
// there: for commands, and for helpers.
func TestUnsafeRoots(t *testing.T) {
	w := newWorld(t)
	roots := map[string]string{
		"writable": "chmod 775 $R", "theirs": "chown ann-of-test $R",
		"above/below": "chmod 757 ${R%/*}", "link": "mv $R $R-2 && ln -s $R-2 $R",
		"linked/below": "mv ${R%/*} ${R%/*}-2 && ln -s ${R%/*}-2 ${R%/*}",
		"gone":         "mv $R $R-2", "file": "mv $R $R-2 && cp $R-2/etc/motto $R",
	}
	settings := ""
	number := 0
	for name, spoil := range roots {
		number++
		root := "/run/roots/" + name
		w.jail(root, "ann-of-test", false)
		w.must("sh", "-c", "R=$1; "+spoil, "sh", root)
		settings += fmt.Sprintf("Match Address 127.0.0.%d\nchroot-directory %s\n", 10+number, root)
		roots[name] = fmt.Sprintf("127.0.0.%d", 10+number)
	}
	w.startOurs(settings)
	for name, from := range roots {
		for _, words := range [][]string{{"HOST", "true"}, {"-s", "HOST", "sftp"}} {
			ran := w.RunCmd(w.client("minisshd", login{user: "ann-of-test", from: from}, words...))
			if ran.Code != 255 || !strings.Contains(ran.Err, "chroot") || ran.Out != "" {
				t.Errorf("%s: %v: %d %s%s", name, words, ran.Code, ran.Out, ran.Err)
			}
		}
	}
}
