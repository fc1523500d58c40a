package conform

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"minissh/protocol"
)

// jobProbes are of commands that go on without their client. Each job that a probe starts has a
// name of its own, and is removed at its end.
var jobProbes = []Probe{
	{Rule: "JO1", Name: "bad-jobs", What: tx("不合格式的请求：bad_request",
		"requests of another form: bad_request"), run: badJobs},
	{Rule: "JO1", Name: "no-job", What: tx("没有这个任务：no_job",
		"a job that is not there: no_job"),
		run: func(t *trial) {
			k := t.jobs()
			for _, do := range []string{"attach", "stop", "remove"} {
				k.refused(job(do, t.jobName()), protocol.CodeNoJob)
			}
		}},
	{Rule: "JO1", Name: "same-name", What: tx("在跑的任务有这个名字：job_exists",
		"a running job has the name: job_exists"), run: func(t *trial) {
		k := t.jobs()
		r := k.startJob(waits, nil)
		k.refused(jobThat(r.Name, waits), protocol.CodeJobExists)
	}},
	{Rule: "JO2", Name: "life", What: tx("start、list、stop、remove：都用记录回答",
		"start, list, stop and remove answer with records"), run: jobLife},
	{Rule: "JO2", Name: "start-failed", What: tx("不能启动的：CLOSE start_failed，没有记录",
		"what cannot be started: CLOSE start_failed, and no record"), run: func(t *trial) {
		k := t.jobs()
		o := job("start", t.jobName())
		o.Argv = []protocol.Bytes{protocol.Bytes("/no/such/program")}
		k.refused(o, protocol.CodeStartFailed)
	}},
	{Rule: "JO3", Name: "record", What: tx("记录的字段", "the fields of a record"), run: jobRecord},
	{Rule: "JO4", Name: "attach", What: tx("attach：从头的输出，两路分开，然后 EXIT",
		"attach: the output from its beginning, both apart, and then EXIT"), run: func(t *trial) {
		k := t.jobs()
		r := k.startJob("echo one; echo err >&2; read x; echo two; exit 7", nil)
		// No input: read ends at once (JO4)
		for range 2 { // the second time it has ended
			channel, _ := k.begins(job("attach", r.ID))
			e := k.finish(channel)
			k.takesStatus(e, 7)
			if string(e.out) != "one\ntwo\n" || string(e.err) != "err\n" {
				t.fail(same(`"one\ntwo\n", "err\n"`), same(fmt.Sprintf("%.80q, %.80q", e.out,
					e.err)))
			}
		}
	}},
	{Rule: "JO4", Name: "signal", What: tx("SIGNAL 到任务", "SIGNAL acts on the job"),
		run: func(t *trial) {
			k := t.jobs()
			r := k.startJob("echo up; "+waits, nil)
			channel, _ := k.begins(job("attach", r.ID))
			k.line(channel)
			k.send(frame(protocol.TypeSignal, channel, `{"signal":"TERM"}`))
			if e := k.finish(channel); e.exit == nil || e.exit.Signal != "TERM" {
				t.fail(same("EXIT signalled TERM"), same(exitOr(e)))
			}
		}},
	{Rule: "JO5", Name: "detach", What: tx("CLOSE：cancelled，没有 EXIT，任务还在跑",
		"CLOSE: cancelled in place of EXIT, and the job goes on"), run: func(t *trial) {
		k := t.jobs()
		r := k.startJob("echo up; "+waits, nil)
		channel, _ := k.begins(job("attach", r.ID))
		k.line(channel)
		k.send(frame(protocol.TypeClose, channel, "{}"))
		if e := k.finish(channel); e.exit != nil || e.closed.Code != protocol.CodeCancelled {
			t.fail(same("CLOSE cancelled"), same(exitOr(e)))
		}
		k.hasState(r.ID, protocol.JobRunning)
	}},
	{Rule: "JO5", Name: "session-ends", What: tx("会话结束：任务还在跑",
		"the session ends: the job goes on"), run: func(t *trial) {
		k := t.jobs()
		r := k.startJob(waits, nil)
		k.begins(job("attach", r.ID))
		k.send(frame(protocol.TypeGoodbye, 0, "{}"))
		k.conn.Close()
		t.jobs().hasState(r.ID, protocol.JobRunning)
	}},
	{Rule: "JO6", Name: "taken-over", What: tx("没有 share 的 attach：先来的得到 taken_over",
		"an attach without share: who was there gets taken_over"), run: func(t *trial) {
		k := t.jobs()
		r := k.startJob(waits, nil)
		first, _ := k.begins(job("attach", r.ID))
		share := job("attach", r.ID)
		share.Job.Share = true
		second, _ := k.begins(share)
		watch := job("attach", r.ID)
		watch.Job.Watch = true
		third, _ := k.begins(watch)
		k.open(job("attach", r.ID))
		ends := k.collect(2)
		if ends[third] != nil {
			t.fail(tx("watch 的还在", "the one that watches stays"), same(exitOr(ends[third])))
		}
		for _, channel := range []uint32{first, second} {
			if e := ends[channel]; e == nil || e.closed.Code != protocol.CodeTakenOver {
				t.fail(same("CLOSE taken_over"), same(fmt.Sprintf("channel %d: %+v", channel, e)))
			}
		}
	}},
	{Rule: "JO7", Name: "full-spool", What: tx("spool 满了：后面的不留，数着；来看的得到 NOTICE",
		"a full spool: what follows is counted, and who attaches has the NOTICE"),
		run: fullSpool},
	{Rule: "JO8", Name: "deadline", What: tx("timeout_ms 从启动算起；stop 是 cancelled",
		"timeout_ms counts from the start; stop makes it cancelled"), run: func(t *trial) {
		k := t.jobs()
		r := k.startJob(waits, func(o *protocol.Open) { o.Timeout = 100 })
		channel, _ := k.begins(job("attach", r.ID))
		if e := k.finishWithin(t.o.Patience+5*time.Second, channel); e.exit == nil ||
			e.exit.How != protocol.HowDeadline {
			t.fail(same("EXIT deadline"), same(exitOr(e)))
		}
		r = k.startJob(waits, nil)
		if r = k.recordOf(job("stop", r.ID)); r.Exit == nil || r.Exit.How != protocol.HowCancelled {
			t.fail(same("exit cancelled"), same(fmt.Sprintf("%+v", r)))
		}
	}},
	{Rule: "JO10", Name: "adopt", What: tx("adopt：在跑的命令变成任务；原来的通道得到 detached",
		"adopt: a running command becomes a job, and its channel ends by detached"),
		run: adoptJob},
	{Rule: "JO10", Name: "adopt-what", What: tx("adopt 的不是有终端的命令：bad_request，它照旧",
		"adopt of what has no terminal: bad_request, and that goes on"), run: func(t *trial) {
		k := t.jobs()
		running, _ := k.start("echo up; read line; echo $line")
		for _, channel := range []uint32{running, 4001} {
			o := job("adopt", t.jobName())
			o.Job.Channel = int64(channel)
			k.refused(o, protocol.CodeBadRequest)
		}
		k.send(frame(protocol.TypeStdin, running, "still here\n"))
		t.expectOutput(k.finish(running), "still here\n", 0)
	}},
	{Rule: "JO11", Name: "held", What: tx("链路断了、会话还留着：列表里是 held；stop 就停掉它",
		"of a session that waits for its client: held in the list; stop stops it"), run: heldJob},
}

func job(do, name string) *protocol.Open {
	return &protocol.Open{Service: "job", Job: &protocol.Job{Do: do, Name: name}}
}

// jobThat is the start of a job that runs a command in sh.
func jobThat(name, text string) *protocol.Open {
	o := command(text)
	o.Service, o.Job = "job", &protocol.Job{Do: "start", Name: name}
	return o
}

// jobName is a job's name that is new.
func (t *trial) jobName() string { return "lab-conform-" + newSession()[:12] }

// jobs is a link to a daemon that has jobs.
func (t *trial) jobs() *talk {
	k := t.login(nil)
	channel, _ := k.begins(job("list", "")) // or not reached
	k.finish(channel)
	return k
}

// startJob starts a job, which is stopped and removed at the trial's end.
func (k *talk) startJob(text string, change func(*protocol.Open)) protocol.JobRecord {
	o := jobThat(k.t.jobName(), text)
	if change != nil {
		change(o)
	}
	t := k.t
	t.clean = append(t.clean, func() { t.removeJob(o.Job.Name) })
	return k.recordOf(o)
}

// removeJob leaves nothing of a job; a daemon that does not do so is told of by JO2's probes.
func (t *trial) removeJob(name string) {
	failed := &trial{ctx: t.ctx, o: t.o, unix: t.unix, stage: t.stage, probe: t.probe}
	failed.probe.run = func(t *trial) {
		k := t.login(nil)
		for _, do := range []string{"stop", "remove"} {
			k.finishWithin(t.o.Patience+5*time.Second, k.open(job(do, name)))
		}
	}
	failed.try()
}

// records takes the answer to a request: records, and EXIT with code 0.
func (k *talk) records(o *protocol.Open) (all []protocol.JobRecord) {
	channel, _ := k.begins(o)
	e := k.finishWithin(k.t.o.Patience+5*time.Second, channel) // stop is patient (EX7)
	k.takesStatus(e, 0)
	for line := range strings.Lines(string(e.out)) {
		var r protocol.JobRecord
		if err := json.Unmarshal([]byte(line), &r); err != nil || !strings.HasSuffix(line, "\n") {
			k.t.broke("JO3", tx("一行一个 JSON 记录", "a record in JSON with a newline after it"),
				same(fmt.Sprintf("%.100q", line)))
		}
		all = append(all, r)
	}
	return all
}

// recordOf is records where one is due.
func (k *talk) recordOf(o *protocol.Open) protocol.JobRecord {
	all := k.records(o)
	if len(all) != 1 {
		k.t.fail(tx("一条记录", "one record"), same(fmt.Sprint(len(all))))
	}
	return all[0]
}

// listed is a job's record in the list, nil if it is not there.
func (k *talk) listed(id string) *protocol.JobRecord {
	all := k.records(job("list", ""))
	at := slices.IndexFunc(all, func(r protocol.JobRecord) bool { return r.ID == id })
	if at < 0 {
		return nil
	}
	return &all[at]
}

func (k *talk) hasState(id, state string) *protocol.JobRecord {
	r := k.listed(id)
	if r == nil || r.State != state {
		k.t.fail(same("list: "+id+" "+state), same(fmt.Sprintf("%+v", r)))
	}
	return r
}

// terminal runs a command that has a terminal, up to its first output.
func (k *talk) terminal(text string) (channel uint32) {
	o := command(text)
	o.PTY = aTerminal()
	channel = k.open(o)
	k.needsPTY(channel)
	k.line(channel)
	return channel
}

func adoptJob(t *trial) {
	k := t.jobs()
	screen := k.terminal("echo up; exec sleep 1000")
	o := job("adopt", t.jobName())
	o.Job.Channel = int64(screen)
	t.clean = append(t.clean, func() { t.removeJob(o.Job.Name) })
	adopting := k.open(o)
	var closed *ending
	want := tx("OPENED；原来的通道：CLOSE detached，没有 EXIT",
		"OPENED; of the other channel: CLOSE detached, in place of EXIT")
	opened := false
	k.until(want, func(f protocol.Frame) bool {
		switch {
		case f.Channel == adopting && f.Type == protocol.TypeClose:
			t.fail(want, same(shown(f)))
		case f.Channel == adopting && f.Type == protocol.TypeOpened:
			opened = true
		case f.Channel == screen && f.Type == protocol.TypeExit:
			t.fail(want, same(shown(f)))
		case f.Channel == screen && f.Type == protocol.TypeClose:
			closed = &ending{}
			f.Decode(&closed.closed) // order has looked at it
		}
		return opened && closed != nil
	})
	k.send(frame(protocol.TypeClose, screen, "{}"),
		frame(protocol.TypeStdin, adopting, "up\r\n"),
		frame(protocol.TypeEOF, adopting, "\x10"))
	e := k.finish(adopting)
	k.takesStatus(e, 0)
	var r protocol.JobRecord
	if err := json.Unmarshal(e.out, &r); err != nil || !r.PTY || r.Name != o.Job.Name {
		t.fail(tx("一条记录，pty 是 true", "a record of a job with a terminal"),
			same(fmt.Sprintf("%.200q", e.out)))
	}
	k.hasState(r.ID, protocol.JobRunning)
	if closed.closed.Code != protocol.CodeDetached {
		t.fail(same("CLOSE detached"), same(exitOr(closed)))
	}
}

func heldJob(t *trial) {
	t.jobs() // or not reached
	k := t.keeps()
	mark := t.jobName()
	k.terminal("echo up; : " + mark + "; exec sleep 1000")
	k.conn.Close()
	n := t.jobs()
	want := tx("list：held，有这条命令", "list: held, with the command")
	var held *protocol.JobRecord
	for end := time.Now().Add(t.o.Patience); held == nil; {
		for _, r := range n.records(job("list", "")) {
			if r.State == protocol.JobHeld && strings.Contains(string(r.Command), mark) {
				held = &r
			}
		}
		if held == nil && time.Now().After(end) {
			t.fail(want, tx("没有", "nothing of the kind"))
		}
	}
	r := n.recordOf(job("stop", held.ID))
	t.clean = append(t.clean, func() { t.removeJob(r.ID) })
	if r.State != protocol.JobEnded {
		t.fail(tx("stop：ended", "stop: ended"), same(fmt.Sprintf("%+v", r)))
	}
}

func badJobs(t *trial) {
	k := t.jobs()
	name := t.jobName()
	for _, j := range []*protocol.Job{nil, {}, {Do: "vanish"}, {Do: "attach"}, {Do: "stop"},
		{Do: "list", Name: name}, {Do: "stop", Name: "-x"}, {Do: "stop", Name: "../x"},
		{Do: "list", New: true}, {Do: "stop", Name: name, Spool: 1000}} {
		k.refused(&protocol.Open{Service: "job", Job: j}, protocol.CodeBadRequest)
	}
	for _, change := range []func(*protocol.Open){
		func(o *protocol.Open) { o.Job.Name = strings.Repeat("a", 65) },
		func(o *protocol.Open) { o.Job.Watch = true },
		func(o *protocol.Open) { o.Job.Spool = -1 },
		func(o *protocol.Open) { o.Command = nil },
	} {
		o := jobThat(name, waits)
		change(o)
		k.refused(o, protocol.CodeBadRequest)
	}
}

func jobLife(t *trial) {
	k := t.jobs()
	r := k.startJob(waits, nil)
	k.hasState(r.ID, protocol.JobRunning)
	k.refused(job("remove", r.ID), protocol.CodeBusy)
	if by := k.recordOf(job("stop", r.Name)); by.ID != r.ID || by.State != protocol.JobEnded {
		t.fail(same("stop: "+r.ID+" ended"), same(fmt.Sprintf("%+v", by)))
	}
	t.dies(fmt.Sprint(r.PID))
	k.hasState(r.ID, protocol.JobEnded)
	k.records(job("remove", r.ID))
	if left := k.listed(r.ID); left != nil {
		t.fail(tx("删掉以后列表里没有", "not in the list once it is removed"),
			same(fmt.Sprintf("%+v", left)))
	}
}

// jobID is the form of an id (JO3).
var jobID = regexp.MustCompile(`^[A-Za-z0-9]{8}$`)

func jobRecord(t *trial) {
	k := t.jobs()
	r := k.startJob("echo 12345; echo 12 >&2; exit 3", nil)
	if !jobID.MatchString(r.ID) || r.PID < 2 || r.Began < 1_500_000_000_000 || r.PTY ||
		!strings.Contains(string(r.Command), "echo 12345") {
		t.fail(tx("id、pid、began_ms、command", "id, pid, began_ms, command"),
			same(fmt.Sprintf("%+v", r)))
	}
	channel, _ := k.begins(job("attach", r.ID))
	k.finish(channel)
	end := k.hasState(r.ID, protocol.JobEnded)
	if end.Stdout != 6 || end.Stderr != 3 || end.Dropped != 0 || end.Ended < end.Began ||
		end.Exit == nil || end.Exit.Code == nil || *end.Exit.Code != 3 {
		t.fail(tx("stdout 6、stderr 3、exit 是 3", "stdout 6, stderr 3, exit of code 3"),
			same(fmt.Sprintf("%+v, exit %+v", end, end.Exit)))
	}
}

// fullSpool has a job write more than its spool holds, and looks at it then.
func fullSpool(t *trial) {
	const all = 6 * 100_000
	k := t.jobs()
	r := k.startJob("yes 12345 | head -100000", func(o *protocol.Open) { o.Job.Spool = 20_000 })
	ends := time.Now().Add(t.o.Patience)
	for r = *k.listed(r.ID); r.State == protocol.JobRunning && time.Now().Before(ends); {
		r = *k.listed(r.ID)
	}
	if r.Dropped == 0 || r.Stdout+r.Dropped != all {
		t.fail(tx("spool 里的和没留的，一共 600000 字节",
			"600,000 bytes in the spool and dropped together"), same(fmt.Sprintf("%+v", r)))
	}
	channel, _ := k.begins(job("attach", r.ID))
	e := k.finish(channel)
	k.takesStatus(e, 0)
	if int64(len(e.out)) != r.Stdout || len(e.notices) == 0 ||
		e.notices[0].Notice != protocol.NoticeOutputDropped {
		t.fail(same(fmt.Sprintf("%d bytes, NOTICE output_dropped", r.Stdout)),
			same(fmt.Sprintf("%d bytes, %+v", len(e.out), e.notices)))
	}
}
