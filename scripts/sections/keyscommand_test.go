//go:build linux

package sections_test

import (
	"strings"
	"testing"
	"time"
)

// lister lists keys from a directory, and notes what it was told and who it is.
const lister = `#!/bin/sh
echo "$(id -un) $0 $*" >>/run/asked
cat "/run/lists/$1" 2>/dev/null
[ "$1" != failing-of-test ]
`

// A command lists keys that no file has: the same program gives the same answers to both daemons,
// and is told the same.
func TestKeysCommandBesideSSHD(t *testing.T) {
	w := newWorld(t)
	w.must("useradd", "-M", "-s", "/usr/sbin/nologin", "lister-of-test")
	for _, name := range []string{"failing-of-test", "both-of-test"} {
		w.must("useradd", "-m", "-p", "*", "-s", "/bin/sh", name)
	}
	w.put("/etc/lister", lister)
	w.must("chmod", "755", "/etc/lister")
	w.must("sh", "-c", "mkdir /run/lists; touch /run/asked; chmod 666 /run/asked")
	w.must("rm", "/etc/keys/ann-of-test", "/etc/keys/bob-of-test")
	first := w.Read("authorized_keys")
	w.put("/run/lists/ann-of-test", "# a list\nnonsense\ncommand=\"echo forced\" "+first)
	w.put("/run/lists/bob-of-test", `from="192.0.2.0/24" `+first)
	w.put("/run/lists/failing-of-test", first)
	w.put("/run/lists/both-of-test", first)
	w.put("/etc/keys/both-of-test", `from="192.0.2.0/24" `+first)
	w.put("/run/lists/nobody", first)
	w.put("/etc/keys/root", w.Read("second.pub"))
	w.start("AuthorizedKeysCommand /etc/lister %u %U \"a b\" %h %f %t %k %%\n"+
		"AuthorizedKeysCommandUser lister-of-test\n", "")
	for _, c := range []struct {
		who  login
		code int
		out  string
	}{
		{login{user: "ann-of-test"}, 0, "forced\n"},
		{login{user: "ann-of-test", key: w.second}, 255, ""},
		{login{user: "bob-of-test"}, 255, ""},           // from elsewhere
		{login{user: "failing-of-test"}, 255, ""},       // its list does not count
		{login{user: "nobody-of-test"}, 255, ""},        // not asked about
		{login{user: "root", key: w.second}, 0, "in\n"}, // a file lists it: not asked about
		{login{user: "both-of-test"}, 0, "in\n"},        // a file lists it for elsewhere
	} {
		asked := map[string]string{}
		for _, daemon := range []string{"sshd", "minisshd"} {
			w.must("sh", "-c", ": >/run/asked")
			r := w.run(daemon, c.who, "echo in")
			if r.Code != c.code || r.Out != c.out {
				t.Errorf("%s, %+v: %+v", daemon, c.who, r)
			}
			lines := strings.Split(w.must("cat", "/run/asked"), "\n")
			asked[daemon] = lines[0] // of minisshd, a client's other keys may be asked about
		}
		if asked["sshd"] != asked["minisshd"] {
			t.Errorf("%s: sshd asks %q\nand minisshd %q", c.who.user, asked["sshd"],
				asked["minisshd"])
		}
	}
	if text := w.daemon.Log.String(); !strings.Contains(text, "ended with code 1") {
		t.Errorf("nothing is said of the command that failed: %s", text)
	}
}

// A command that hangs keeps one login waiting, and others could not have written it. One that
// others could write does not let the daemon start.
func TestUnsafeKeysCommand(t *testing.T) {
	w := newWorld(t)
	w.put("/etc/lister", "#!/bin/sh\n[ $1 = ann-of-test ] || exec cat "+w.Path("never")+
		"\ncat /run/ann\n")
	w.put("/run/ann", w.Read("authorized_keys"))
	w.must("mkfifo", "-m", "666", w.Path("never"))
	w.must("chmod", "755", "/etc/lister")
	w.must("rm", "/etc/keys/ann-of-test", "/etc/keys/bob-of-test")
	const settings = "AuthorizedKeysCommand /etc/lister %u\nAuthorizedKeysCommandUser nobody\n"
	w.startOurs(settings)
	hanging := w.Start(w.client("minisshd", login{user: "bob-of-test"}, "HOST", "echo in"))
	for range 5 {
		if r := w.run("minisshd", login{user: "ann-of-test"}, "echo in"); r.Out != "in\n" {
			t.Errorf("beside a command that hangs: %+v", r)
		}
	}
	<-hanging.Done
	if code := hanging.Cmd.ProcessState.ExitCode(); code != 255 ||
		!strings.Contains(w.daemon.Log.String(), "has not answered in time") {
		t.Errorf("%d\n%s", code, w.daemon.Log)
	}
	for _, unsafe := range []string{"chmod 775 /etc/lister", "chown ann-of-test /etc/lister",
		"chmod 644 /etc/lister", "rm /etc/lister"} {
		w.must("sh", "-c", unsafe)
		r := w.RunCmd(w.do(w.built, "--config", conf, "--host-key", w.Path("host_key")))
		if r.Code != 1 || !strings.Contains(r.Err, "AuthorizedKeysCommand") &&
			!strings.Contains(r.Err, "authorized-keys-command") {
			t.Errorf("%s: %+v", unsafe, r)
		}
		w.must("sh", "-c", "touch /etc/lister; chown root /etc/lister; chmod 755 /etc/lister")
	}
}

// Users that are not there, or not served, are not asked about, whatever keys their client has, and
// it takes as long as to ask.
func TestKeysCommandTellsNoAccounts(t *testing.T) {
	w := newWorld(t)
	w.put("/etc/lister", "#!/bin/sh\necho $1 >>/run/asked\nsleep 0.3\n")
	w.must("chmod", "755", "/etc/lister")
	w.must("sh", "-c", "touch /run/asked; chmod 666 /run/asked")
	w.must("rm", "/etc/keys/ann-of-test", "/etc/keys/bob-of-test")
	w.startOurs("AuthorizedKeysCommandUser nobody\nDenyUsers bob-of-test\nMatch user *-of-test\n" +
		"AuthorizedKeysCommand /etc/lister %u\n")
	for _, c := range []struct{ user, asked string }{
		{"ann-of-test", "ann-of-test\nann-of-test\n"}, // the key, and the client's others
		{"bob-of-test", ""},
		{"nobody-of-test", ""},
	} {
		w.must("sh", "-c", ": >/run/asked")
		began := time.Now()
		r := w.RunCmd(w.client("minisshd", login{user: c.user}, "-i", w.second, "HOST", "echo in"))
		if took := time.Since(began); r.Code != 255 || took < 600*time.Millisecond {
			t.Errorf("%s: after %v: %+v", c.user, took, r)
		}
		if asked := w.must("cat", "/run/asked"); asked != c.asked {
			t.Errorf("%s: asked about %q", c.user, asked)
		}
	}
}
