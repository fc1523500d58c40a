//go:build linux

package friends_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

var listensOn = regexp.MustCompile(`127\.0\.0\.1:(\d+)`)

// hop starts a daemon on the way, with a key of ours that is for it alone, and adds lines to the
// client's configuration of it.
func hop(t *testing.T, p *testhost.Place, name, more string) *testhost.Daemon {
	t.Helper()
	p.Write(name+".keys", string(p.Key(p.Path(name+".id"))))
	d := p.Start(p.Command("minisshd", "--control", "none", "--listen", "127.0.0.1:0", "--host-key",
		p.Path("host_key"), "--authorized-keys", p.Path(name+".keys")))
	d.Out.Await(t, "\n")
	found := listensOn.FindStringSubmatch(d.Out.String())
	if found == nil {
		t.Fatalf("%s: %s%s", name, d.Out, d.Log)
	}
	p.Knows(name, found[1])
	p.Write("home/.config/minissh/config", p.Read("home/.config/minissh/config")+
		"\tIdentitiesOnly yes\n\tIdentityFile "+p.Path(name+".id")+"\n"+more)
	return d
}

// children are the processes that any thread of one has started.
func children(pid int) (ids []int) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for word := range strings.FieldsSeq(string(text)) {
			var id int
			fmt.Sscan(word, &id)
			ids = append(ids, id)
		}
	}
	return ids
}

// A way through two hosts, each with its own key and configuration; TLS is from end to end.
func TestJump(t *testing.T) {
	p := place(t, 5<<20)
	first := hop(t, p, "first", "")
	second := hop(t, p, "second", "\tProxyJump first\n")
	for _, jump := range []string{"first", "first,second", "second"} {
		if r := p.Run("minissh", "-J", jump, "box", "echo in; echo no >&2; exit 5"); r.Code != 5 ||
			r.Out != "in\n" || r.Err != "no\n" {
			t.Fatalf("%s: %+v", jump, r)
		}
	}
	for name, d := range map[string]*testhost.Daemon{"first": first, "second": second} {
		if !strings.Contains(d.Log.String(), "Accepted publickey") {
			t.Errorf("nothing went through %s:\n%s", name, d.Log)
		}
	}
	p.Write("home/.config/minissh/config", "Host box\n\tProxyJump second\n"+
		p.Read("home/.config/minissh/config"))
	if r := sh(t, p, `mkdir there && tar cf - -C src . | minissh box "tar xpf - -C '$DIR/there'"`+
		` && minissh cp -r box:"$DIR"/there back`); r.Code != 0 {
		t.Errorf("%+v", r)
	}
	p.Same("src", "there")
	p.Same("src", "back")
	// The hop's daemon cannot connect, and the hop itself cannot be reached.
	if r := p.Run("minissh", "-p", "1", "box", "true"); r.Code != 255 ||
		!strings.Contains(r.Err, "second could not connect") ||
		!strings.Contains(r.Err, "the way through second was closed before anybody answered") {
		t.Errorf("%+v", r)
	}
	if r := p.Run("minissh", "-o", "ProxyJump=nowhere.invalid", "box", "true"); r.Code != 255 ||
		!strings.Contains(r.Err, "Could not resolve hostname nowhere.invalid") {
		t.Errorf("%+v", r)
	}
	if r := p.Run("minissh", "-J", "none", "box", "echo in"); r.Out != "in\n" {
		t.Errorf("%+v", r)
	}
}

// Ctrl-C passes the hop's client by, as it does any program that makes a connection; and a hop that
// is lost is replaced.
func TestJumpOnATerminal(t *testing.T) {
	p := place(t, 0)
	hop(t, p, "first", "")
	tty, far, err := pty.Open()
	p.Must(err)
	defer tty.Close()
	cmd := p.Command("minissh", "-T", "-J", "first", "box",
		`trap "echo got; exit 3" INT; echo ready; while :; do sleep 0.05; done`)
	cmd.Stdin = far
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	m := p.Start(cmd)
	far.Close()
	m.Out.Await(t, "ready\n")
	tty.Write([]byte{3})
	<-m.Done
	if m.Out.String() != "ready\ngot\n" || m.Cmd.ProcessState.ExitCode() != 3 ||
		m.Log.String() != "" {
		t.Errorf("%v: %q, %s", m.Cmd.ProcessState, m.Out, m.Log)
	}

	m = p.Start(p.Command("minissh", "-n", "-J", "first", "box",
		`echo one; until test -e "`+p.Path("go")+`"; do sleep 0.05; done; echo two; exit 4`))
	m.Out.Await(t, "one\n")
	var killed int
	testend.Until(t, "the hop's client is there", func() bool {
		ids := children(m.Cmd.Process.Pid)
		if len(ids) == 1 {
			killed = ids[0]
		}
		return killed != 0
	})
	p.Must(syscall.Kill(killed, syscall.SIGKILL))
	testend.Gone(t, killed)
	m.Log.Await(t, "is back")
	p.Write("go", "")
	<-m.Done
	if m.Out.String() != "one\ntwo\n" || m.Cmd.ProcessState.ExitCode() != 4 {
		t.Errorf("%v: %q, %s", m.Cmd.ProcessState, m.Out, m.Log)
	}
}
