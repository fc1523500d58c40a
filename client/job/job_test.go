//go:build unix

package job_test

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/job"
	"minissh/client/options"
	"minissh/client/run"
	"minissh/protocol"
	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Main(m) }

// output is a stream that several goroutines look at.
type output = fakedaemon.Messages

// result is what became of one run.
type result struct {
	code           int
	out, err, said string
}

// does runs something against a daemon, bounded.
func does(t *testing.T, f *fakedaemon.Fake, do func(*dial.Dialer, run.Streams) int) result {
	t.Helper()
	d, said := f.Dialer(t)
	var out, errs output
	code := make(chan int, 1)
	go func() { code <- do(d, run.Streams{Stdout: &out, Stderr: &errs}) }()
	select {
	case c := <-code:
		fakedaemon.Plain(t, said.String())
		return result{c, out.String(), errs.String(), said.String()}
	case <-time.After(fakedaemon.Patience):
		t.Fatal("the client hangs")
		panic("unreachable")
	}
}

func start(d *dial.Dialer, s run.Streams) int {
	return job.Start(context.Background(), d, s.Stdout)
}

func attach(a job.Attachment) func(*dial.Dialer, run.Streams) int {
	return func(d *dial.Dialer, s run.Streams) int {
		return job.Attach(context.Background(), d, a, s)
	}
}

func list(asJSON bool) func(*dial.Dialer, run.Streams) int {
	return func(d *dial.Dialer, s run.Streams) int {
		return job.List(context.Background(), d, s.Stdout, asJSON, false)
	}
}

const running = `{"id":"abcd1234","name":"build","state":"running","command":"make all","pid":7,` +
	`"began_ms":1000,"stdout":5,"stderr":6}` + "\n"

// answers is a daemon that answers a request with records.
func answers(records string, asked *protocol.Open) func(*fakedaemon.Guest) {
	return func(g *fakedaemon.Guest) {
		*asked = g.Begin()
		if records != "" {
			g.Data(protocol.TypeStdout, records)
		}
		g.End(`{"how":"exited","code":0}`)
	}
}

// closes is a daemon that refuses a request, or ends it, with a code.
func closes(code protocol.Code) func(*fakedaemon.Guest) {
	return func(g *fakedaemon.Guest) {
		g.Welcome()
		g.Until(protocol.TypeOpen)
		g.Say(protocol.TypeClose, 1, `{"code":"`+string(code)+`","message":"`+fakedaemon.Evil+`"}`)
		g.Drain()
	}
}

// The line about a new job comes when the command has started, and not with OPENED; what the
// options ask for is in the request, and standard input is not read.
func TestStart(t *testing.T) {
	var asked protocol.Open
	var out output
	early := ""
	f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
		asked = g.Begin()
		g.Data(protocol.TypeStdout, running[:20])
		g.Say(protocol.TypePing, 0, "12345678")
		g.Until(protocol.TypePong)
		early = out.String()
		g.Data(protocol.TypeStdout, running[20:])
		g.End(`{"how":"exited","code":0}`)
	})
	r := does(t, f, func(d *dial.Dialer, _ run.Streams) int {
		o := d.Options
		o.JobName, o.SpoolWait, o.Timeout, o.Detach = "build", true, time.Minute, true
		d.Agent = 5
		return job.Start(context.Background(), d, &out)
	})
	want := `job abcd1234 ("build") on fake; to come back: minissh job attach `
	if r.code != 0 || !strings.HasPrefix(out.String(), want) ||
		!strings.HasSuffix(out.String(), "tester@fake abcd1234\n") || r.said != "" || early != "" {
		t.Errorf("%+v, %q, before the record: %q", r, out.String(), early)
	}
	if j := asked.Job; asked.Service != "job" || string(asked.Command) != "a command" ||
		asked.Timeout != 60000 || asked.Agent != 0 || j == nil ||
		*j != (protocol.Job{Do: "start", Name: "build", Wait: true}) || asked.CheckJob() != nil {
		t.Errorf("%+v, %+v", asked, asked.Job)
	}
}

// A job with -t has a terminal, and may be a shell.
func TestStartShell(t *testing.T) {
	var asked protocol.Open
	f := fakedaemon.New(t, answers(running, &asked))
	r := does(t, f, func(d *dial.Dialer, s run.Streams) int {
		d.Options.Command, d.Options.RequestTTY = nil, options.TTYYes
		return start(d, s)
	})
	if r.code != 0 || asked.PTY == nil || !asked.Shell || asked.CheckJob() != nil {
		t.Errorf("%+v, %+v", r, asked)
	}
}

// Each refusal is told in words, with something to type, and never raw.
func TestRefusals(t *testing.T) {
	named := func(d *dial.Dialer, s run.Streams) int {
		d.Options.JobName = "build"
		return start(d, s)
	}
	stop := func(d *dial.Dialer, s run.Streams) int {
		return job.Stop(context.Background(), d, "build", s.Stdout)
	}
	remove := func(d *dial.Dialer, s run.Streams) int {
		return job.Remove(context.Background(), d, "build", s.Stdout)
	}
	to := attach(job.Attachment{Job: "build"})
	collect := attach(job.Attachment{Job: "build", Collect: true})
	for _, test := range []struct {
		code       protocol.Code
		do         func(*dial.Dialer, run.Streams) int
		what, hint string
	}{
		{protocol.CodeJobExists, named, `a job with the name "build" runs on fake already`,
			"job attach "},
		{protocol.CodeTooManyCommands, named, "fake keeps no more jobs for you: ", "job remove "},
		{protocol.CodeStartFailed, named, "fake did not run it: ", ""},
		{protocol.CodeNoDirectory, named, "fake did not run it: ", ""},
		{protocol.CodeUnknownService, named, "minisshd on fake is older than jobs", "nohup"},
		{protocol.CodeServiceRefused, named, "your key may not have jobs on fake: ",
			"minissh-jobs"},
		{protocol.CodeShuttingDown, named, "minisshd on fake is being stopped", "wait"},
		{protocol.CodeInternal, named, "fake refused: ", ""},
		{protocol.CodeNoJob, stop, `fake has no job "build"`, "job list "},
		{protocol.CodeNoJob, remove, `fake has no job "build"`, "job list "},
		{protocol.CodeBusy, remove, "job build on fake still runs, and stays", "job stop "},
		{protocol.CodeNoJob, to, `fake has no job "build"`, "job list "},
		{protocol.CodeTakenOver, to, "another client has taken job build on fake over; it goes on",
			"attach --share "},
		{protocol.CodeJobLost, to, "job build on fake was lost: ", "job list "},
		{protocol.CodeJobLost, collect, "job build on fake was lost: ", "job list "},
		{protocol.CodeUnknownService, list(false), "minisshd on fake is older than jobs", "nohup"},
	} {
		r := does(t, fakedaemon.New(t, closes(test.code)), test.do)
		message, hint, _ := strings.Cut(r.said, "\n")
		if r.code != 255 || r.out != "" || !strings.HasPrefix(message, "minissh: "+test.what) ||
			(test.hint == "") != (hint == "") || !strings.Contains(hint, test.hint) ||
			hint != "" && !strings.HasPrefix(hint, "minissh: hint: ") {
			t.Errorf("%s: %+v", test.code, r)
		}
	}
}

// A session that is lost after the request was sent leaves it open whether the job started, and the
// client says so; before that it was not.
func TestStartIsLost(t *testing.T) {
	r := does(t, fakedaemon.New(t, func(g *fakedaemon.Guest) { g.Begin() }), start)
	if r.code != 255 || !strings.Contains(r.said, "; nobody knows whether the job was started\n"+
		"minissh: hint: minissh job list ") {
		t.Errorf("%+v", r)
	}
	r = does(t, fakedaemon.New(t, fakedaemon.Refuse(`{"code":"too_many_sessions","message":"x"}`)),
		start)
	if r.code != 255 || strings.Contains(r.said, "nobody knows") {
		t.Errorf("%+v", r)
	}
}

// What is not a record is refused, whatever its size, and nothing of it is printed.
func TestBadRecords(t *testing.T) {
	for name, text := range map[string]string{"none": "", "two": running + running,
		"an id that would be run": strings.Replace(running, "abcd1234", "$(x)", 1),
		"half":                    running[:9], "nonsense": "{\x1b[31m}\n",
		"too long": strings.Repeat("x", 70<<10)} {
		f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
			g.Begin()
			for piece := text; piece != ""; {
				n := min(len(piece), 16<<10)
				g.Data(protocol.TypeStdout, piece[:n])
				piece = piece[n:]
			}
			g.End(`{"how":"exited","code":0}`)
		})
		if r := does(t, f, start); r.code != 255 || r.out != "" || r.said == "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// The output of a job comes apart, from its beginning, and its code is ours.
func TestAttach(t *testing.T) {
	var asked protocol.Open
	ends := func(exit string) *fakedaemon.Fake {
		return fakedaemon.New(t, func(g *fakedaemon.Guest) {
			asked = g.Begin()
			g.Data(protocol.TypeStdout, "out\xff")
			g.Data(protocol.TypeStderr, "err")
			g.End(exit)
		})
	}
	for _, test := range []struct {
		a    job.Attachment
		exit string
		code int
		want protocol.Job
	}{
		{job.Attachment{Job: "build"}, `{"how":"exited","code":3}`, 3,
			protocol.Job{Do: "attach", Name: "build"}},
		{job.Attachment{Job: "build", New: true, Share: true},
			`{"how":"signalled","signal":"TERM"}`,
			143, protocol.Job{Do: "attach", Name: "build", New: true, Share: true}},
		{job.Attachment{Job: "build", Watch: true}, `{"how":"deadline","signal":"HUP"}`, 124,
			protocol.Job{Do: "attach", Name: "build", Watch: true}},
		{job.Attachment{Job: "build", Collect: true}, `{"how":"cancelled","signal":"KILL"}`, 137,
			protocol.Job{Do: "attach", Name: "build", Watch: true}},
	} {
		r := does(t, ends(test.exit), attach(test.a))
		if r.code != test.code || r.out != "out\xff" || r.err != "err" || asked.CheckJob() != nil ||
			*asked.Job != test.want {
			t.Errorf("%+v: %+v, %+v", test.a, r, asked.Job)
		}
	}
}

// A gap in the output is told, with a way to have none.
func TestDroppedOutput(t *testing.T) {
	f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
		g.Begin()
		g.Say(protocol.TypeNotice, 1, `{"notice":"output_dropped","message":"12 bytes`+
			fakedaemon.Evil+`"}`)
		g.Data(protocol.TypeStdout, "out")
		g.End(`{"how":"exited","code":0}`)
	})
	r := does(t, f, attach(job.Attachment{Job: "build", Collect: true}))
	if r.code != 0 || r.out != "out" || !strings.HasPrefix(r.said,
		`minissh: a gap in the job's output: "12 bytes`) ||
		!strings.Contains(r.said, "\nminissh: hint: a job that is started with --spool-wait ") {
		t.Errorf("%+v", r)
	}
}

// Without a name it is the only job that runs; several are listed, and none is said.
func TestTheOnlyJob(t *testing.T) {
	other := strings.NewReplacer("abcd1234", "zzzz9999", `"build"`, `"old"`, `"running"`,
		`"ended"`).Replace(running)
	two := strings.Replace(running, "abcd1234", "bbbb2222", 1)
	var asked protocol.Open
	daemon := func(records string) *fakedaemon.Fake {
		return fakedaemon.New(t, func(g *fakedaemon.Guest) {
			g.Begin()
			g.Data(protocol.TypeStdout, records)
			g.EOF()
			g.Say(protocol.TypeExit, 1, `{"how":"exited","code":0}`)
			g.Say(protocol.TypeClose, 1, "{}")
			open := g.Until(protocol.TypeOpen)
			if open.Type == 0 {
				return
			}
			open.Decode(&asked)
			g.Say(protocol.TypeOpened, 3, `{"pid":1}`)
			g.Say(protocol.TypeStdout, 3, "out")
			g.Say(protocol.TypeEOF, 3, "\x11")
			g.Say(protocol.TypeEOF, 3, "\x12")
			g.Say(protocol.TypeExit, 3, `{"how":"exited","code":9}`)
			g.Say(protocol.TypeClose, 3, "{}")
			g.Until(protocol.TypeGoodbye)
		})
	}
	r := does(t, daemon(other+running), attach(job.Attachment{}))
	if r.code != 9 || r.out != "out" || asked.Job == nil || asked.Job.Name != "abcd1234" {
		t.Errorf("%+v, %+v", r, asked.Job)
	}
	r = does(t, daemon(running+other+two), attach(job.Attachment{}))
	if r.code != 255 || !strings.HasPrefix(r.said, `minissh: more than one job runs on fake: `+
		`abcd1234 ("build"), bbbb2222 ("build")`+"\nminissh: hint: minissh job attach ") {
		t.Errorf("%+v", r)
	}
	r = does(t, daemon(other), attach(job.Attachment{}))
	if r.code != 255 || !strings.HasPrefix(r.said, "minissh: no job runs on fake\n") {
		t.Errorf("%+v", r)
	}
}

// Ctrl-C reaches a job that is attached to, and the second one detaches; of one that is collected
// or watched the first does. The job is left running, which is told.
func TestSignals(t *testing.T) {
	for name, test := range map[string]struct {
		a      job.Attachment
		passes bool
	}{"attach": {job.Attachment{Job: "build"}, true},
		"watch":   {job.Attachment{Job: "build", Watch: true}, false},
		"collect": {job.Attachment{Job: "build", Collect: true}, false}} {
		interrupt := func() { syscall.Kill(os.Getpid(), syscall.SIGINT) }
		signal, closed := "", ""
		f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
			g.Begin()
			g.Until(protocol.TypeEOF) // signals are taken now
			g.Say(protocol.TypePing, 0, "12345678")
			g.Until(protocol.TypePong)
			interrupt()
			if test.passes {
				signal = string(g.Until(protocol.TypeSignal).Payload)
				interrupt()
			}
			closed = string(g.Until(protocol.TypeClose).Payload)
			g.Say(protocol.TypeClose, 1, `{"code":"cancelled","message":"x"}`)
			g.Until(protocol.TypeGoodbye)
		})
		r := does(t, f, attach(test.a))
		if r.code != 130 || (signal != "") != test.passes ||
			!strings.Contains(closed, "cancelled") ||
			!strings.HasPrefix(r.said, "minissh: detached from job build on fake, which goes on\n"+
				"minissh: hint: minissh job attach ") {
			t.Errorf("%s: %+v, SIGNAL %s, CLOSE %s", name, r, signal, closed)
		}
	}
}

// Who loses the session is told that the job goes on.
func TestSessionIsLost(t *testing.T) {
	f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
		g.Begin()
		g.Data(protocol.TypeStdout, "out")
	})
	r := does(t, f, attach(job.Attachment{Job: "build"}))
	if r.code != 255 || r.out != "out" ||
		!strings.Contains(r.said, "; that does not stop job build there\n"+
			"minissh: hint: minissh job attach ") || strings.Contains(r.said, "stopped") {
		t.Errorf("%+v", r)
	}
}
