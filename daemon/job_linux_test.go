package daemon

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"minissh/protocol"
	"minissh/protocol/mux"
)

// The newer client takes a job over; with share both stay, and with watch one does not type.
func TestJobTakenOver(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	open := command("stty -echo; while read line; do echo got $line; done")
	open.PTY = window()
	r := l.begun(s, open)
	screen := func(more func(*protocol.Job)) *mux.Channel {
		ch := attach(t, s, r.ID, func(j *protocol.Job) { j.Screen = true }, more)
		upTo(t, ch, "H") // it has come, so the client is attached
		return ch
	}
	first := screen(func(*protocol.Job) {})
	watches := screen(func(j *protocol.Job) { j.Watch = true })
	watches.Write(protocol.TypeStdin, []byte("not typed\n"))
	second := screen(func(j *protocol.Job) { j.Share = true })
	second.Write(protocol.TypeStdin, []byte("one\n"))
	for _, ch := range []*mux.Channel{first, watches, second} {
		upTo(t, ch, "got one\n")
	}
	third := screen(func(*protocol.Job) {})
	for _, ch := range []*mux.Channel{first, second} {
		if got := collect(t, ch); got.refused == nil || got.refused.Code != protocol.CodeTakenOver {
			t.Errorf("%+v", got)
		}
	}
	third.Write(protocol.TypeStdin, []byte("two\n"))
	upTo(t, watches, "got two\n")
	third.Write(protocol.TypeStdin, []byte("\x04"))
	if got := collect(t, third); got.exit == nil || *got.exit.Code != 0 {
		t.Errorf("%+v", got)
	}
}

// A keeper is the account's, and may do anything: one that never answers does not keep a client who
// has left, nor the daemon that is to end.
func TestJobOfAHostileKeeper(t *testing.T) {
	l := newLab(t, func(o *Options) { o.HelperGrace = 50 * time.Millisecond })
	before := l.warm()
	s := l.session(nil)
	r := l.begun(s, command("exec sleep 1000"))
	dir := filepath.Dir(l.inJob(r.ID, "socket"))
	other := filepath.Join(filepath.Dir(dir), "hostile2")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "status.json"))
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte(r.ID), []byte("hostile2"), 1)
	if err := os.WriteFile(filepath.Join(other, "status.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	lock, err := os.Create(filepath.Join(other, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
	listener, err := net.Listen("unix", filepath.Join(other, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	silent := make(chan struct{})
	came := make(chan struct{}, 1)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				f, err := protocol.NewReader(conn).Next()
				hello := new(protocol.Hello)
				if err != nil || f.Decode(hello) != nil {
					return
				}
				keeper := mux.New(mux.Config{Role: mux.Daemon, Channels: protocol.MinChannels,
					Accept: func(*mux.Channel) { came <- struct{}{}; <-silent }})
				keeper.Accept(conn, hello, &protocol.Welcome{})
			}()
		}
	}()
	for _, do := range []string{protocol.JobAttach, protocol.JobStop} {
		ch := job(t, s, protocol.Open{Job: &protocol.Job{Do: do, Name: "hostile2"}})
		<-came
		ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
		if got := collect(t, ch); got.refused == nil {
			t.Errorf("%s: %+v", do, got)
		}
	}
	close(silent)
	listener.Close()
	lock.Close()
	collect(t, job(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobStop, Name: r.ID}}))
	l.keeperEnds(r.ID)
	s.Close(nil)
	settle(t, before)
}

// A client that comes to a job whose keeper is just ending gets what there is, and no refusal.
func TestJobEndsMeanwhile(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	r := l.begun(s, command("echo there; exit 3"))
	collect(t, attach(t, s, r.ID))
	l.keeperEnds(r.ID)
	listener, err := net.Listen("unix", l.inJob(r.ID, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { // a keeper's socket, closed with a connection that it has not served
		defer close(ended)
		conn, err := listener.Accept()
		listener.Close()
		if err == nil {
			conn.Close()
		}
	}()
	got := collect(t, attach(t, s, r.ID))
	<-ended
	if got.exit == nil || *got.exit.Code != 3 || got.out != "there\n" {
		t.Errorf("%+v", got)
	}
}
