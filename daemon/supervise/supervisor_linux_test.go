package supervise

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"minissh/daemon/process"
)

const pretend = "--pretend-to-be-a-generation"

// beGeneration is a generation that does what a file in a directory says now: serve, crash, hang,
// fail, deaf (it serves and does not leave), open (a socket, and hang), slow (until it says serve),
// ask (for an upgrade, likewise). It makes a file with its process id for each step.
func beGeneration(dir string) int {
	how, _ := os.ReadFile(filepath.Join(dir, "how"))
	step := func(name string) {
		os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s.%d", name, os.Getpid())), nil, 0o600)
	}
	g, err := Join()
	if err != nil || g == nil {
		return 9
	}
	switch string(how) {
	case "fail":
		g.Failed("it cannot", "mend it")
		return 1
	case "hang":
		step("hangs")
		select {}
	}
	if string(how) == "open" {
		conn, err := net.ListenPacket("unixgram", filepath.Join(dir, "socket"))
		if err != nil || g.Keep("new", conn.(*net.UnixConn)) != nil {
			return 5
		}
		step("has opened")
		select {
		case <-g.Leave():
		case <-time.After(time.Minute):
		}
		return 6
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	go func() {
		<-hup
		step("reloads")
	}()
	untilServe := func() {
		for {
			if now, _ := os.ReadFile(filepath.Join(dir, "how")); string(now) == "serve" {
				break
			}
			<-time.After(5 * time.Millisecond)
		}
	}
	if string(how) == "slow" {
		step("is slow")
		untilServe()
	}
	if err := g.Ready(); err != nil {
		return 3
	}
	step("serves")
	switch string(how) {
	case "crash":
		return 4
	case "deaf":
		select {}
	case "ask":
		untilServe()
		g.link.send(message{Kind: kindUpgrade})
		<-g.Leave()
		if len(g.done) > 0 { // it would have come first
			step("is told early")
		}
		g.Left()
		<-g.done
		step("is told")
	}
	select {
	case <-g.Leave():
		step("leaves")
		g.Left()
		select {
		case <-g.Stop():
		case <-time.After(time.Minute):
		}
	case <-g.Stop():
	}
	step("stops")
	return 0
}

// trial is a supervisor at work in this process, in a directory that tells its generations what to
// do.
type trial struct {
	t       *testing.T
	dir     string
	signals chan os.Signal
	others  chan os.Signal
	ended   chan int
	log     *text
}

type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

func newTrial(t *testing.T, how string) *trial {
	r := &trial{t: t, dir: t.TempDir(), signals: make(chan os.Signal, 2),
		others: make(chan os.Signal, 2), ended: make(chan int, 1), log: new(text)}
	r.how(how)
	go func() {
		r.ended <- Run(Config{Log: slog.New(slog.NewTextHandler(r.log, nil)),
			Args: []string{os.Args[0], pretend, r.dir}, Signals: r.signals, Others: r.others,
			Stop: 2 * time.Second, Grace: time.Second})
	}()
	t.Cleanup(func() {
		r.signals <- syscall.SIGTERM
		select {
		case <-r.ended:
		case <-time.After(20 * time.Second):
			t.Error("the supervisor does not end")
		}
	})
	return r
}

func (r *trial) how(text string) {
	if err := os.WriteFile(filepath.Join(r.dir, "how"), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// await waits until so many generations have come to a step, and lists them.
func (r *trial) await(step string, n int) (pids []int) {
	r.t.Helper()
	for range 1500 {
		pids = nil
		files, _ := filepath.Glob(filepath.Join(r.dir, step+".*"))
		for _, file := range files {
			_, pid, _ := strings.Cut(filepath.Base(file), ".")
			id, _ := strconv.Atoi(pid)
			pids = append(pids, id)
		}
		if len(pids) >= n {
			return pids
		}
		<-time.After(20 * time.Millisecond)
	}
	r.t.Fatalf("only %v: %s; %s", pids, step, r.log)
	return nil
}

func (r *trial) says(what string) {
	r.t.Helper()
	for range 1500 {
		if strings.Contains(r.log.String(), what) {
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	r.t.Fatalf("never %q: %s", what, r.log)
}

// short makes the supervisor impatient.
func short(t *testing.T) {
	start, leave := startMost, leaveMost
	startMost, leaveMost = 500*time.Millisecond, 300*time.Millisecond
	t.Cleanup(func() { startMost, leaveMost = start, leave })
}

// A new daemon that hangs at its start is given up, and the old one serves on; a second upgrade
// meanwhile is refused; one that fails says why; then one that starts takes over.
func TestStartHangs(t *testing.T) {
	if startMost != 30*time.Second || leaveMost != 5*time.Second {
		t.Error("the manuals say 30 seconds, and five")
	}
	short(t)
	r := newTrial(t, "serve")
	r.await("serves", 1)
	r.how("hang")
	r.others <- syscall.SIGUSR2
	hung := r.await("hangs", 1)
	r.others <- syscall.SIGUSR2
	r.says("a new one is being started already")
	r.says("The new daemon did not start; the old one serves on")
	if err := syscall.Kill(hung[0], 0); err != syscall.ESRCH {
		t.Errorf("it is there: %v", err)
	}
	r.how("fail")
	r.others <- syscall.SIGUSR2
	r.says("it cannot")
	if left, _ := filepath.Glob(filepath.Join(r.dir, "leaves.*")); len(left) > 0 {
		t.Errorf("the old one has left: %v", left)
	}
	r.how("serve")
	r.others <- syscall.SIGUSR2
	r.await("leaves", 1)
	r.await("serves", 2)
}

// What a new daemon has opened that does not start is closed then, and not at the next upgrade.
func TestFailedOpens(t *testing.T) {
	short(t)
	r := newTrial(t, "serve")
	r.await("serves", 1)
	r.how("open")
	r.others <- syscall.SIGUSR2
	r.await("has opened", 1)
	r.says("The new daemon did not start; the old one serves on")
	r.others <- syscall.SIGHUP // which is done after that
	r.await("reloads", 1)
	conn, err := net.Dial("unixgram", filepath.Join(r.dir, "socket"))
	if err == nil {
		conn.Close()
		t.Error("the socket is open")
	}
}

// Whoever asks for an upgrade is told that the new daemon serves when the old one has left.
func TestTold(t *testing.T) {
	r := newTrial(t, "ask")
	r.await("serves", 1)
	r.how("serve")
	r.await("is told", 1)
	r.await("serves", 2)
	if early, _ := filepath.Glob(filepath.Join(r.dir, "is told early.*")); len(early) > 0 {
		t.Error("it is told that before")
	}
}

// A reload during an upgrade reaches the old daemon at once, and the new one when it serves.
func TestReloadMeanwhile(t *testing.T) {
	r := newTrial(t, "serve")
	r.await("serves", 1)
	r.how("slow")
	r.others <- syscall.SIGUSR2
	r.await("is slow", 1)
	r.others <- syscall.SIGHUP
	r.await("reloads", 1)
	r.how("serve")
	r.await("reloads", 2)
}

// An old daemon that is blocked does not keep the new one from serving.
func TestOldIsDeaf(t *testing.T) {
	short(t)
	r := newTrial(t, "deaf")
	r.await("serves", 1)
	r.how("serve")
	r.others <- syscall.SIGUSR2
	r.says("The old daemon does not answer")
	r.await("serves", 2)
}

// A daemon that crashes again and again is started again and again, about once a second; and the
// supervisor stays, also while none can be started.
func TestCrashesAgain(t *testing.T) {
	r := newTrial(t, "crash")
	r.await("serves", 3)
	r.how("fail")
	r.says("The new daemon did not start")
	r.how("serve")
	r.await("serves", 4)
	if n := strings.Count(r.log.String(), "A daemon has died"); n > 8 {
		t.Errorf("started %d times", n)
	}
}

// A supervisor whose first daemon does not start ends, with code 1.
func TestNeverServes(t *testing.T) {
	r := newTrial(t, "fail")
	select {
	case code := <-r.ended:
		if code != 1 {
			t.Errorf("code %d", code)
		}
		r.ended <- code
	case <-time.After(20 * time.Second):
		t.Error("it does not end")
	}
}

// A daemon that does not end when it is told to is killed.
func TestStopDeaf(t *testing.T) {
	r := newTrial(t, "deaf")
	r.await("serves", 1)
	r.signals <- syscall.SIGTERM
	r.says("A daemon does not end, and is killed")
	if code := <-r.ended; code != 1 {
		t.Errorf("code %d", code)
	}
	r.ended <- 1
}

// The roll has what began and did not end, in places that are used again.
func TestRoll(t *testing.T) {
	slots := make([]int64, 4)
	r := newRoll(slots)
	var _ process.Roll = r
	r.Begins(10, false)
	r.Begins(11, true)
	r.Ends(10)
	r.Ends(10) // it is not there any more
	r.Begins(12, false)
	r.Begins(13, false)
	r.Begins(14, false) // there is no room
	want := []noted{{12, false}, {11, true}, {13, false}}
	got := on(slots)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, pid := range []int{11, 12, 13, 14} {
		r.Ends(pid)
	}
	if left := on(slots); left != nil {
		t.Errorf("%v are left", left)
	}
}
