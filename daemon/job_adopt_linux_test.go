package daemon

import (
	"encoding/json"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// adopted makes a job of what runs on a channel, whose client has seen what it gives.
func (l *lab) adopted(s *mux.Session, ch *mux.Channel, seen string) protocol.JobRecord {
	l.t.Helper()
	to := job(l.t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobAdopt, Name: "mine",
		Channel: int64(ch.ID())}})
	r := collect(l.t, ch)
	if r.exit != nil || r.refused == nil || r.refused.Code != protocol.CodeDetached {
		l.t.Fatalf("%+v", r)
	}
	to.Write(protocol.TypeStdin, []byte(seen+r.out))
	to.EOF(protocol.TypeStdin)
	r = collect(l.t, to)
	var record protocol.JobRecord
	if r.exit == nil || protocol.DecodeJSON([]byte(strings.TrimSpace(r.out)), &record) != nil {
		l.t.Fatalf("%+v", r)
	}
	return record
}

// terminal starts a command with a terminal, which says ready, over a link that may be lost.
func (l *lab) terminal(command string) (*resumer, net.Conn, *mux.Channel) {
	l.t.Helper()
	r, raw := l.resumer(), l.dial()
	if err := r.attachOver(raw); err != nil {
		l.t.Fatal(err)
	}
	ch := start(l.t, r.Session, protocol.Open{PTY: window(), Command: protocol.Bytes(command)})
	upTo(l.t, ch, "ready")
	return r, raw, ch
}

// ends stops a job, and waits for its keeper's end.
func (l *lab) ends(s *mux.Session, id string) {
	l.t.Helper()
	collect(l.t, job(l.t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobStop, Name: id}}))
	l.keeperEnds(id)
}

// A command that runs on a terminal becomes a job: it goes on, its screen is what its client saw,
// and its outcome is its own.
func TestAdoptedJob(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	before := l.warm()
	s := l.session(nil)
	open := protocol.Open{Service: "exec", PTY: window(), Command: protocol.Bytes(
		"printf '\\033[31m中文'; while read line; do echo got $line; done; exit 7")}
	ch := start(t, s, open)
	seen := upTo(t, ch, "文")
	r := l.adopted(s, ch, seen)
	if r.Name != "mine" || r.State != protocol.JobRunning || !r.PTY || r.PID == 0 ||
		string(r.Command) != string(open.Command) {
		t.Errorf("%+v", r)
	}
	s.Close(nil)
	s = l.session(nil)
	to := attach(t, s, "mine", func(j *protocol.Job) { j.Screen = true })
	upTo(t, to, "\x1b[31m中文")
	typed(t, to, "one\n")
	upTo(t, to, "got one")
	typed(t, to, "\x04")
	if r := collect(t, to); r.exit == nil || r.exit.How != protocol.HowExited || *r.exit.Code != 7 {
		t.Errorf("%+v", r)
	}
	l.keeperEnds(r.ID)
	if r := collect(t, attach(t, s, "mine")); strings.Contains(r.out, "中文") ||
		!strings.Contains(r.out, "got one") || r.exit == nil || *r.exit.Code != 7 {
		t.Errorf("%+v", r)
	}
	s.Close(nil)
	settle(t, before)
}

// What cannot become a job is refused, and goes on as it was.
func TestAdoptRefused(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	ch := start(t, s, protocol.Open{PTY: window(), Command: protocol.Bytes(
		"stty -echo; echo ready; " +
			"while read line; do echo got $line; done")})
	upTo(t, ch, "ready")
	plain := start(t, s, protocol.Open{Command: protocol.Bytes("cat")})
	for _, c := range []struct {
		channel int64
		name    string
		want    protocol.Code
		before  func()
	}{
		{9999, "", protocol.CodeBadRequest, nil},
		{int64(plain.ID()), "", protocol.CodeBadRequest, nil},
		{0, "", protocol.CodeBadRequest, nil},
		{int64(ch.ID()), "taken", protocol.CodeJobExists, func() {
			open := command("exec sleep 1000")
			open.Job.Name = "taken"
			l.begun(s, open)
		}},
	} {
		if c.before != nil {
			c.before()
		}
		r := collect(t, job(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobAdopt,
			Name: c.name, Channel: c.channel}}))
		if r.refused == nil || r.refused.Code != c.want {
			t.Errorf("%d %q: %+v, not %s", c.channel, c.name, r.refused, c.want)
		}
	}
	typed(t, ch, "one\n")
	upTo(t, ch, "got one")
	other := newLab(t, nil)
	if err := os.WriteFile(other.home+"/.local", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s = other.session(nil)
	defer s.Close(nil)
	ch = start(t, s, protocol.Open{PTY: window(), Command: protocol.Bytes("echo ready; exec cat")})
	upTo(t, ch, "ready")
	r := collect(t, job(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobAdopt,
		Channel: int64(ch.ID())}}))
	if r.refused == nil || r.refused.Code != protocol.CodeStartFailed {
		t.Errorf("without a place for jobs: %+v", r.refused)
	}
	typed(t, ch, "two\n")
	upTo(t, ch, "two")
}

// The job goes on though its client leaves in the middle, and is stopped as every job is; its
// deadline is still that of the command.
func TestAdoptedAndLeft(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	for _, timeout := range []int64{0, 300} {
		s := l.session(nil)
		ch := start(t, s, protocol.Open{PTY: window(), Timeout: timeout,
			Command: protocol.Bytes("trap '' HUP; echo ready; while :; do sleep 0.1; done")})
		upTo(t, ch, "ready")
		job(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobAdopt, Name: "left",
			Channel: int64(ch.ID())}})
		if r := collect(t, ch); r.refused == nil || r.refused.Code != protocol.CodeDetached {
			t.Fatalf("%+v", r)
		}
		s.Close(nil) // no screen comes
		s = l.session(nil)
		defer s.Close(nil)
		var r protocol.JobRecord
		l.until("it is a job", func() bool {
			all := jobRecords(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobList}})
			if n := len(all); n > 0 && all[n-1].Name == "left" {
				r = all[n-1]
			}
			return r.Name != "" && r.State == protocol.JobRunning || r.Exit != nil
		})
		want := protocol.HowDeadline
		if timeout == 0 {
			want = protocol.HowCancelled
			collect(t, job(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobStop,
				Name: r.ID}}))
		}
		if r := collect(t, attach(t, s, r.ID)); r.exit == nil || r.exit.How != want ||
			r.exit.Signal != "KILL" {
			t.Errorf("%+v", r.exit)
		}
		if testend.Alive(r.PID) {
			t.Errorf("%d lives", r.PID)
		}
		l.keeperEnds(r.ID)
		jobRecords(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobRemove, Name: r.ID}})
	}
}

// When the keeper of such a job is killed, its terminal hangs up.
func TestAdoptedKeeperKilled(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	ch := start(t, s, protocol.Open{PTY: window(), Command: protocol.Bytes("echo ready; exec cat")})
	r := l.adopted(s, ch, upTo(t, ch, "ready"))
	var status struct {
		Keeper int `json:"keeper_pid"`
	}
	text, err := os.ReadFile(l.inJob(r.ID, "status.json"))
	if err == nil {
		err = json.Unmarshal(text, &status)
	}
	if err != nil {
		t.Fatal(err)
	}
	syscall.Kill(status.Keeper, syscall.SIGKILL)
	testend.Gone(t, r.PID)
	all := jobRecords(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobList}})
	if len(all) != 1 || all[0].State != protocol.JobLost {
		t.Errorf("%+v", all)
	}
}

// A shell whose client is away is told to the same key, and to no other; whoever attaches to it has
// it, redrawn, and the client that comes back is told so.
func TestHeldShell(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	r, raw, ch := l.terminal(
		"trap 'echo drawn' WINCH; echo ready; while :; do read x && echo got $x; done")
	loud := start(t, r.Session, protocol.Open{PTY: window(), Command: protocol.Bytes(
		"echo ready; until test -e go; do sleep 0.02; done; " +
			"echo >loud; exec cat /dev/zero")})
	upTo(t, loud, "ready")
	list := func(s *mux.Session) []protocol.JobRecord {
		return jobRecords(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobList}})
	}
	s := l.session(nil)
	defer s.Close(nil)
	if all := list(s); len(all) != 0 {
		t.Errorf("with a client: %+v", all)
	}
	r.lose(raw)
	all := list(s)
	if len(all) != 2 || all[0].State != protocol.JobHeld || !all[0].PTY || all[0].PID == 0 {
		t.Fatalf("%+v", all)
	}
	other := l.as2(l.second())
	defer other.Close(nil)
	if all := list(other); len(all) != 0 {
		t.Errorf("another key: %+v", all)
	}
	if r := collect(t, attach(t, other, all[0].ID)); r.refused == nil ||
		r.refused.Code != protocol.CodeNoJob {
		t.Errorf("another key: %+v", r)
	}
	to := attach(t, s, all[0].ID, func(j *protocol.Job) {
		j.Screen, j.Rows, j.Cols = true, 30, 90
	})
	upTo(t, to, "drawn")
	typed(t, to, "one\n")
	upTo(t, to, "got one")
	if err := os.WriteFile(l.home+"/go", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l.until("it writes, and nobody takes it", func() bool {
		_, err := os.Stat(l.home + "/loud")
		return err == nil
	})
	if stopped := jobRecords(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobStop,
		Name: all[1].ID}}); stopped[0].Exit == nil || testend.Alive(all[1].PID) {
		t.Errorf("%+v", stopped)
	}
	r.mustAttach()
	if got := collect(t, loud); got.refused == nil || got.refused.Code != protocol.CodeDetached {
		t.Errorf("who came back to the loud one: %+v", got.refused)
	}
	if got := collect(t, ch); got.refused == nil || got.refused.Code != protocol.CodeDetached {
		t.Errorf("who came back: %+v", got)
	}
	all = list(s)
	if len(all) != 2 || all[0].State != protocol.JobRunning || all[1].State != protocol.JobEnded {
		t.Fatalf("%+v", all)
	}
	l.ends(s, all[0].ID)
}

// What runs in such a job has the time of a stop to clean up.
func TestAdoptedStopsWithGrace(t *testing.T) {
	needsPTY(t)
	l := newLab(t, func(o *Options) { o.StopGrace = patience })
	s := l.session(nil)
	defer s.Close(nil)
	ch := start(t, s, protocol.Open{PTY: window(), Command: protocol.Bytes(
		"(trap 'sleep 0.5; echo >cleaned; exit' HUP; echo ready; while :; do sleep 0.05; done) & " +
			"exec cat")})
	r := l.adopted(s, ch, upTo(t, ch, "ready"))
	collect(t, job(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobStop, Name: r.ID}}))
	if _, err := os.Stat(l.home + "/cleaned"); err != nil {
		t.Error(err)
	}
	l.keeperEnds(r.ID)
}

// The link is lost before the client has let go of what runs: it is a job all the same.
func TestAdoptedAndLost(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	r, raw, ch := l.terminal("echo ready; while :; do echo tick; sleep 0.01; done")
	to := job(t, r.Session, protocol.Open{Job: &protocol.Job{Do: protocol.JobAdopt,
		Channel: int64(ch.ID())}})
	<-to.Requests() // OPENED
	r.lose(raw)
	s := l.session(nil)
	defer s.Close(nil)
	var all []protocol.JobRecord
	l.until("it is a job", func() bool {
		all = jobRecords(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobList}})
		return len(all) == 1 && all[0].State == protocol.JobRunning
	})
	l.ends(s, all[0].ID)
	r.Session.Close(nil)
}

// A window that changes while a held program is asked to draw has its last size in the end.
func TestHeldShellResized(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	r, raw, _ := l.terminal("stty -echo; echo ready; while read x; do echo $(stty size).; done")
	r.lose(raw)
	s := l.session(nil)
	defer s.Close(nil)
	all := jobRecords(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobList}})
	to := attach(t, s, all[0].ID, func(j *protocol.Job) {
		j.Screen, j.Rows, j.Cols = true, 30, 90
	})
	<-to.Requests() // OPENED
	to.Send(protocol.TypeResize, &protocol.Size{Rows: 44, Cols: 111})
	l.until("the last size", func() bool {
		typed(t, to, "\n")
		return strings.Contains(upTo(t, to, "."), "44 111.")
	})
	all = jobRecords(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobList}})
	l.ends(s, all[0].ID)
	r.Session.Close(nil)
}
