//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

const (
	daemonHost = "10.77.0.1"
	daemonPort = "2222"
	// outage is how long the network is away: too long for one that only waits for TCP.
	outage = 5 * time.Second
	brief  = time.Second // what was on its way has come by then
	// soon is when a session must go on, on a machine that is busy. The promise is a second, which
	// the row resume of scripts/bench measures.
	soon = 5 * time.Second
)

// ways are two ways from a client's network to a daemon's, as a laptop has them: each is a pair of
// network devices with addresses of its own. Both networks end with the test.
type ways struct {
	*testhost.Place
	t         *testing.T
	near, far *exec.Cmd // a process in each network, which keeps it
}

// newWays makes both networks; the first way is up.
func newWays(t *testing.T) *ways {
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	testhost.Need(t, "ip")
	testhost.Need(t, "nsenter")
	w := &ways{Place: testhost.New(t), t: t}
	w.near, w.far = w.network(), w.network()
	w.ip(w.far, "link set lo up")
	w.ip(w.far, "address add "+daemonHost+" dev lo")
	for _, n := range []string{"1", "2"} {
		w.ip(w.near, fmt.Sprint("link add way", n, " type veth peer name way", n, " netns ",
			w.far.Process.Pid))
		w.ip(w.far, "address add 10.77."+n+".1/24 dev way"+n)
		w.ip(w.far, "link set way"+n+" up")
		w.ip(w.near, "address add 10.77."+n+".2/24 dev way"+n)
	}
	w.up("1")
	w.Write("home/.ssh/known_hosts", "["+daemonHost+"]:"+daemonPort+" "+w.Read("host_key.pub"))
	w.Write("home/.config/minissh/config", "Host box\n\tHostName "+daemonHost+"\n\tPort "+
		daemonPort+"\n")
	return w
}

// network starts a process that has a network of its own.
func (w *ways) network() *exec.Cmd {
	w.t.Helper()
	keeper := w.Command("cat")
	keeper.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNET}
	in, err := keeper.StdinPipe()
	w.Must(err)
	if err := keeper.Start(); err != nil {
		w.t.Skip("not run: needs a network namespace: ", err)
	}
	w.t.Cleanup(func() { in.Close(); keeper.Wait() })
	return keeper
}

// in prepares a process in one of the networks.
func (w *ways) in(network *exec.Cmd, argv ...string) *exec.Cmd {
	return w.Command("nsenter", append([]string{fmt.Sprintf("--net=/proc/%d/ns/net",
		network.Process.Pid), "--"}, argv...)...)
}

// ip runs ip(8) in one of the networks.
func (w *ways) ip(network *exec.Cmd, words string) {
	w.t.Helper()
	argv := append([]string{"ip"}, strings.Fields(words)...)
	if out, err := w.in(network, argv...).CombinedOutput(); err != nil {
		w.t.Fatalf("%v: %v\n%s", argv, err, out)
	}
}

// up and down are what happens to a way at the client's side.
func (w *ways) up(n string) {
	w.t.Helper()
	w.ip(w.near, "link set way"+n+" up")
	w.ip(w.near, "route add default via 10.77."+n+".1")
}

func (w *ways) down(n string) {
	w.t.Helper()
	w.ip(w.near, "link set way"+n+" down")
}

// deaf has both ends of the first way send to what is not there, unseen by both systems, until
// hearing.
func (w *ways) deaf() {
	w.t.Helper()
	const nobody = " lladdr 02:00:00:00:00:01 nud permanent dev way1"
	w.ip(w.near, "neighbour replace 10.77.1.1"+nobody)
	w.ip(w.far, "neighbour replace 10.77.1.2"+nobody)
}

func (w *ways) hearing() {
	w.t.Helper()
	w.ip(w.near, "neighbour del 10.77.1.1 dev way1")
	w.ip(w.far, "neighbour del 10.77.1.2 dev way1")
}

// seated is a client in the network.
type seated struct {
	out, said *testhost.Text
	ended     chan struct{}
	err       error
}

// sit starts a client.
func (w *ways) sit(cmd *exec.Cmd) *seated {
	w.t.Helper()
	s := &seated{new(testhost.Text), new(testhost.Text), make(chan struct{}), nil}
	cmd.Stdout, cmd.Stderr = s.out, s.said
	w.Must(cmd.Start())
	go func() { s.err = cmd.Wait(); close(s.ended) }()
	return s
}

// ends waits for the client's end, which must be good, and compares its output.
func (s *seated) ends(t *testing.T, what, want string) {
	t.Helper()
	select {
	case <-s.ended:
	case <-time.After(testhost.Patience):
		t.Fatalf("%s does not end: %s", what, s.said)
	}
	if wrong := differs([]byte(want), []byte(s.out.String())); wrong != "" || s.err != nil {
		t.Errorf("%s: %v; the output %s; %s", what, s.err, wrong, s.said)
	}
}

// The network is away for some seconds, twice; then the client has another address, then another
// device. Each time a key that was typed meanwhile is answered soon after, a command's output goes
// on, and in the end nothing is missing or has come twice.
func TestRoaming(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: takes a quarter of a minute, and -short was asked for")
	}
	t.Parallel()
	w := newWays(t)
	d := w.Start(w.in(w.far, "minisshd", "--control", "none", "--listen",
		daemonHost+":"+daemonPort, "--host-key", w.Path("host_key"), "--authorized-keys",
		w.Path("authorized_keys")))
	d.Out.Await(t, "\n")

	var lines bytes.Buffer
	for i := range 1000 {
		fmt.Fprintln(&lines, i+1)
	}
	counting := w.sit(w.in(w.near, "minissh", "box", "echo started >>"+w.Path("starts")+
		"; for i in $(seq 1000); do echo $i; [ -e "+w.Path("hurry")+" ] || sleep 0.04; done"))
	shell := w.in(w.near, "minissh", "-tt", "box", "stty raw -echo; echo ready; n=0; "+
		"while read -r line && [ \"$line\" != end ]; do n=$((n+1)); echo \"$n $line\"; done")
	keys, err := shell.StdinPipe()
	w.Must(err)
	typing := w.sit(shell)
	typing.out.Await(t, "ready\n")
	want := "ready\n"
	said := 0 // keys that were typed
	key := func(text string) string {
		t.Helper()
		_, err := fmt.Fprintln(keys, text)
		w.Must(err)
		said++
		answer := fmt.Sprintln(said, text)
		want += answer
		return answer
	}
	typing.out.Await(t, key("before"))

	for _, c := range []struct {
		what  string
		gone  func()
		away  time.Duration
		comes func()
		from  string // the client's new address; "": the link may be the one before
	}{
		{"an outage that nobody sees", w.deaf, outage, w.hearing, ""},
		{"an outage", func() { w.down("1") }, outage, func() { w.up("1") }, ""},
		{"another address", func() { w.ip(w.near, "address del 10.77.1.2/24 dev way1") }, brief,
			func() {
				w.ip(w.near, "address add 10.77.1.3/24 dev way1")
				w.ip(w.near, "route add default via 10.77.1.1")
			}, "10.77.1.3"},
		{"another device", func() { w.down("1") }, brief, func() { w.up("2") }, "10.77.2.2"},
	} {
		c.gone()
		answer := key(c.what)
		<-time.After(c.away)
		if strings.Contains(typing.out.String(), answer) {
			t.Fatalf("%s: an answer came over no network", c.what)
		}
		before := counting.out.String()
		c.comes()
		began := time.Now()
		typing.out.Await(t, answer)
		counting.out.Await(t, before+fmt.Sprintln(strings.Count(before, "\n")+1))
		took := time.Since(began)
		if t.Logf("%s: it went on after %v", c.what, took); took > soon {
			t.Errorf("%s: it went on after more than %v", c.what, soon)
		}
		if c.from != "" {
			testend.Until(t, c.what+": both sessions came back from there", func() bool {
				return strings.Count(d.Log.String(), "Resumed from "+c.from+" ") == 2
			})
		}
		select {
		case <-counting.ended:
			t.Fatalf("%s: the command has ended already", c.what)
		default:
		}
	}

	w.Write("hurry", "")
	_, err = fmt.Fprintln(keys, "end")
	w.Must(err)
	typing.ends(t, "the shell", want)
	counting.ends(t, "the command", lines.String())
	if starts := w.Read("starts"); starts != "started\n" {
		t.Errorf("starts: %q", starts)
	}
}
