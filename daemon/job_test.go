//go:build unix

package daemon

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// job asks for something of jobs, and gives the channel.
func job(t testing.TB, s *mux.Session, open protocol.Open) *mux.Channel {
	t.Helper()
	open.Service = "job"
	return start(t, s, open)
}

// jobRecords asks for what is answered by records.
func jobRecords(t testing.TB, s *mux.Session, open protocol.Open) (all []protocol.JobRecord) {
	t.Helper()
	r := collect(t, job(t, s, open))
	if r.refused != nil || r.exit == nil || r.exit.Code == nil || *r.exit.Code != 0 {
		t.Fatalf("%+v: %+v", open.Job, r)
	}
	for line := range strings.Lines(r.out) {
		var record protocol.JobRecord
		if err := protocol.DecodeJSON([]byte(line), &record); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, record)
	}
	return all
}

// begun starts a job, which ends with the test.
func (l *lab) begun(s *mux.Session, open protocol.Open) protocol.JobRecord {
	l.t.Helper()
	all := jobRecords(l.t, s, open)
	if len(all) != 1 || all[0].State != protocol.JobRunning {
		l.t.Fatalf("%+v", all)
	}
	l.t.Cleanup(func() {
		s := l.session(nil)
		defer s.Close(nil)
		collect(l.t, job(l.t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobStop,
			Name: all[0].ID}}))
		l.keeperEnds(all[0].ID)
	})
	return all[0]
}

// keeperEnds waits until a job's keeper has ended.
func (l *lab) keeperEnds(id string) {
	l.t.Helper()
	found, _ := filepath.Glob(filepath.Join(l.home, ".local/state/minissh/jobs/*", id,
		"status.json"))
	for _, name := range found { // one, unless it was removed
		text, _ := os.ReadFile(name)
		var status struct {
			Keeper int `json:"keeper_pid"`
		}
		json.Unmarshal(text, &status)
		testend.Gone(l.t, status.Keeper)
	}
}

func (l *lab) inJob(id, name string) string {
	l.t.Helper()
	found, _ := filepath.Glob(filepath.Join(l.home, ".local/state/minissh/jobs/*", id))
	if len(found) != 1 {
		l.t.Fatalf("the job %s has %q", id, found)
	}
	return filepath.Join(found[0], name)
}

func attach(t testing.TB, s *mux.Session, name string, more ...func(*protocol.Job)) *mux.Channel {
	t.Helper()
	j := &protocol.Job{Do: protocol.JobAttach, Name: name}
	for _, change := range more {
		change(j)
	}
	return job(t, s, protocol.Open{Job: j})
}

func command(text string) protocol.Open {
	return protocol.Open{Command: protocol.Bytes(text), Job: &protocol.Job{Do: protocol.JobStart}}
}

// A job's output is kept apart, and collected as often as one likes; its outcome is the command's.
func TestJob(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	open := command("pwd; echo $LANG; cat; echo err >&2; until test -e go; do sleep 0.02; done; " +
		"exit 7")
	open.Env = [][2]protocol.Bytes{{protocol.Bytes("LANG"), protocol.Bytes("C.X")}}
	open.Job.Name = "first"
	r := l.begun(s, open)
	if !testend.Alive(r.PID) || r.Name != "first" || r.PTY ||
		string(r.Command) != string(open.Command) {
		t.Errorf("%+v", r)
	}
	ch := attach(t, s, "first")
	if line := firstLine(t, ch); line != real(t, l.home) && line != l.home {
		t.Errorf("it runs in %q", line)
	}
	ch.Close(nil)
	if !testend.Alive(r.PID) {
		t.Fatal("detaching has ended the job")
	}
	if r := collect(t, job(t, s, command("true"))); r.refused != nil {
		t.Errorf("a job without a name: %+v", r.refused)
	}
	again := command("true")
	again.Job.Name = "first"
	if r := collect(t, job(t, s, again)); r.refused == nil ||
		r.refused.Code != protocol.CodeJobExists {
		t.Errorf("a second job of that name: %+v", r)
	}
	if r := collect(t,
		job(t, s,
			protocol.Open{Job: &protocol.Job{Do: protocol.JobRemove,
				Name: "first"}})); r.refused == nil || r.refused.Code != protocol.CodeBusy {
		t.Errorf("removing a job that runs: %+v", r)
	}
	waiting := attach(t, s, r.ID)
	os.WriteFile(filepath.Join(l.home, "go"), nil, 0o600)
	for range 2 {
		got := collect(t, waiting)
		if got.exit == nil || got.exit.How != protocol.HowExited || *got.exit.Code != 7 ||
			!strings.HasSuffix(got.out, "/"+filepath.Base(l.home)+"\nC.X\n") || got.err != "err\n" {
			t.Errorf("%+v", got)
		}
		l.keeperEnds(r.ID)
		waiting = attach(t, s, r.ID) // now of its spool
	}
	collect(t, waiting)
	list := jobRecords(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobList}})
	if len(list) != 2 || list[0].ID != r.ID || list[0].State != protocol.JobEnded ||
		*list[0].Exit.Code != 7 || list[0].Stderr != 4 || list[0].Attached != 0 {
		t.Errorf("%+v", list)
	}
	jobRecords(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobRemove, Name: r.ID}})
	if got := collect(t, attach(t, s, r.ID)); got.refused == nil ||
		got.refused.Code != protocol.CodeNoJob {
		t.Errorf("a job that was removed: %+v", got)
	}
}

// What a job may not be asked for is refused as the page says, and leaves nothing.
func TestJobRefused(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	for name, c := range map[string]struct {
		open protocol.Open
		code protocol.Code
	}{
		"none":       {protocol.Open{Command: protocol.Bytes("true")}, protocol.CodeBadRequest},
		"unknown":    {protocol.Open{Job: &protocol.Job{Do: "fork"}}, protocol.CodeBadRequest},
		"no command": {protocol.Open{Job: &protocol.Job{Do: "start"}}, protocol.CodeBadRequest},
		"a bad name": {protocol.Open{Job: &protocol.Job{Do: "stop", Name: "../x"}},
			protocol.CodeBadRequest},
		"no name": {protocol.Open{Job: &protocol.Job{Do: "attach"}},
			protocol.CodeBadRequest},
		"not there": {protocol.Open{Job: &protocol.Job{Do: "attach", Name: "x"}},
			protocol.CodeNoJob},
		"no directory": {protocol.Open{Command: protocol.Bytes("true"),
			Dir: protocol.Bytes("/none"), Job: &protocol.Job{Do: "start"}},
			protocol.CodeNoDirectory},
		"no program": {protocol.Open{Argv: bytesOf("/none"), Job: &protocol.Job{Do: "start"}},
			protocol.CodeStartFailed},
		"a spool of -1": {protocol.Open{Command: protocol.Bytes("true"),
			Job: &protocol.Job{Do: "start", Spool: -1}}, protocol.CodeBadRequest},
		"a wide screen": {protocol.Open{Job: &protocol.Job{Do: "attach", Name: "x", Cols: 65536}},
			protocol.CodeBadRequest},
		"another's word": {protocol.Open{Job: &protocol.Job{Do: "list", Watch: true}},
			protocol.CodeBadRequest},
	} {
		if r := collect(t, job(t, s, c.open)); r.refused == nil || r.refused.Code != c.code {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if list := jobRecords(t, s,
		protocol.Open{Job: &protocol.Job{Do: protocol.JobList}}); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	if left,
		_ := filepath.Glob(filepath.Join(l.home,
		".local/state/minissh/jobs/*/[a-z0-9]*")); len(left) != 0 {
		t.Errorf("%q is left", left)
	}
}

// Stopping, a deadline and a signal end a job; each is told as what it was.
func TestJobStops(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	r := l.begun(s, command("trap '' HUP; sleep 1000 & echo $!; wait"))
	ch := attach(t, s, r.ID)
	pids := append(running(t, ch, firstLine(t, ch)), r.PID)
	stopped := jobRecords(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobStop, Name: r.ID}})
	if len(stopped) != 1 || stopped[0].State != protocol.JobEnded ||
		stopped[0].Exit.How != protocol.HowCancelled {
		t.Errorf("%+v", stopped)
	}
	for _, pid := range pids {
		if testend.Alive(pid) {
			t.Errorf("%d lives on", pid)
		}
	}
	if got := collect(t, ch); got.exit == nil || got.exit.How != protocol.HowCancelled {
		t.Errorf("who was attached has %+v", got)
	}
	late := command("exec sleep 1000")
	late.Timeout = 1
	r = l.begun(s, late)
	if got := collect(t, attach(t, s, r.ID)); got.exit == nil ||
		got.exit.How != protocol.HowDeadline {
		t.Errorf("%+v", got)
	}
	r = l.begun(s, command("exec sleep 1000"))
	ch = attach(t, s, r.ID)
	ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "NOPE"})
	ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "USR1"})
	if got := collect(t, ch); got.exit == nil || got.exit.How != protocol.HowSignalled ||
		got.exit.Signal != "USR1" || len(got.notices) != 1 {
		t.Errorf("%+v", got)
	}
}

// A keeper that is killed leaves a job that is lost: the list says so, its output is there, and
// nothing hangs. So does the restart of the machine.
func TestJobLost(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	r := l.begun(s, command("echo before; exec sleep 1000"))
	ch := attach(t, s, r.ID)
	firstLine(t, ch)
	var status struct {
		Keeper int `json:"keeper_pid"`
	}
	text, _ := os.ReadFile(l.inJob(r.ID, "status.json"))
	json.Unmarshal(text, &status)
	syscall.Kill(status.Keeper, syscall.SIGKILL)
	if got := collect(t, ch); got.refused == nil || got.refused.Code != protocol.CodeJobLost {
		t.Errorf("who was attached has %+v", got)
	}
	testend.Gone(t, status.Keeper)
	defer syscall.Kill(r.PID, syscall.SIGKILL)
	for _, state := range []string{protocol.JobLost, protocol.JobReboot} {
		list := jobRecords(t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobList}})
		if len(list) != 1 || list[0].State != state || list[0].Exit != nil {
			t.Errorf("%+v", list)
		}
		got := collect(t, attach(t, s, r.ID))
		if got.out != "before\n" || got.refused == nil || got.refused.Code != protocol.CodeJobLost {
			t.Errorf("%+v", got)
		}
		// as if it had been before the machine was restarted
		other := strings.Replace(string(text), `"boot_id": "`, `"boot_id": "x`, 1)
		os.WriteFile(l.inJob(r.ID, "status.json"), []byte(other), 0o600)
	}
}
