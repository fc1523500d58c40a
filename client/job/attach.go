package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"minissh/client/dial"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/client/terminal"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Attachment is how to go back to a job.
type Attachment struct {
	Job     string // its id or name; "": the only one that runs
	New     bool   // output from now on
	Share   bool   // beside others, who stay
	Watch   bool   // the same, without typing
	Collect bool   // take what it writes until its end, and leave it alone
}

// Attach shows a job, and returns its exit code; 255 for our own failures, which it shows, and when
// we are detached from it; 128+n if a signal of ours did that.
func Attach(ctx context.Context, d *dial.Dialer, a Attachment, streams run.Streams) int {
	if a.Collect || d.Options.StdinNull || streams.Keyboard != nil &&
		!term.IsTerminal(int(streams.Keyboard.Fd())) {
		streams.Keyboard = nil
	}
	d.OnTerminal = streams.Keyboard != nil // who comes back may do so much later
	var found *protocol.JobRecord
	n := naming(d, a.Job)
	v := &visit{Attachment: a, streams: streams, local: terminal.New(streams.Keyboard)}
	login, loginOver := run.UntilLogin(ctx, d)
	var list *mux.Channel
	conn, err := d.Dial(login, func(s *mux.Session) (err error) {
		if a.Job == "" || streams.Result != nil { // the record says when it began
			list, err = s.Open(&protocol.Open{Service: "job",
				Job: &protocol.Job{Do: protocol.JobList}})
		} else {
			v.ch, err = s.Open(v.request(a.Job))
		}
		return err
	})
	if code := loginOver(); code != 0 {
		return code
	}
	if err == nil && list != nil {
		if found, err = n.choose(list); err == nil {
			n.job = found.ID
			v.ch, err = conn.Session.Open(v.request(n.job))
		}
	}
	if err != nil {
		err = n.failed(err, list, "")
		streams.Result.Failed(err)
		d.Messages.Error(err)
		if conn != nil {
			conn.Session.Close(nil)
		}
		return report.ExitFailure
	}
	streams.Result.Began(conn, v.ch)
	if found != nil && found.Began > 0 {
		streams.Result.BeganAt(time.UnixMilli(found.Began))
	}
	v.named, v.conn = n, conn
	return v.show(ctx)
}

// visit is one attachment.
type visit struct {
	named
	Attachment
	streams run.Streams
	local   *terminal.Terminal
	conn    *dial.Connection
	ch      *mux.Channel
}

// request asks for the job. On a terminal it begins with the screen as it is.
func (v *visit) request(job string) *protocol.Open {
	j := &protocol.Job{Do: protocol.JobAttach, Name: job, New: v.New, Share: v.Share,
		Watch: v.Watch || v.Collect}
	if v.streams.Keyboard != nil && !v.New && term.IsTerminal(int(os.Stdout.Fd())) {
		size := v.local.Size()
		j.Screen, j.Rows, j.Cols = true, size.Rows, size.Cols
	}
	return &protocol.Open{Service: "job", Job: j}
}

// show shows the job until it has ended, or we are detached from it.
func (v *visit) show(ctx context.Context) int {
	onTerminal := v.opened()
	if onTerminal && v.streams.Keyboard != nil {
		return v.screen(ctx)
	}
	return v.follow(ctx)
}

// opened waits for the daemon's answer, and says whether the job has a terminal.
func (v *visit) opened() bool {
	var e mux.Event
	select {
	case e = <-v.ch.Requests(): // OPENED comes first
	case <-v.ch.Gone():
		select {
		case e = <-v.ch.Requests():
		default:
		}
	}
	o, ok := e.Message.(*protocol.Opened)
	return ok && len(o.TTY) > 0
}

// choose finds the job that is meant: by id, else the newest of that name, a running one first; or
// without either the only one that runs (JO1).
func (n named) choose(list *mux.Channel) (*protocol.JobRecord, error) {
	records, err := answer(list)
	if err != nil {
		return nil, err
	}
	var found *protocol.JobRecord
	var running []string
	for i := range records { // the oldest first
		r := &records[i]
		if !protocol.ValidJobName(r.ID) {
			return nil, report.Failed(nil, "", "%s has a job with the id %s, which is not one",
				n.host, protocol.Quote(r.ID))
		}
		runs := r.State == protocol.JobRunning
		if runs {
			running = append(running, label(r))
		}
		switch {
		case n.job == "" && runs, n.job != "" && r.ID == n.job:
			found = r
		case n.job != "" && r.Name == n.job && (found == nil || found.ID != n.job &&
			(runs || found.State != protocol.JobRunning)):
			found = r
		}
	}
	switch {
	case n.job != "" && found == nil:
		return nil, n.refused(&run.Closed{RemoteError: &protocol.RemoteError{
			Reason: protocol.Reason{Code: protocol.CodeNoJob}}})
	case n.job == "" && len(running) == 0:
		return nil, report.Failed(nil, "minissh job list "+n.target+" lists those that have ended",
			"no job runs on %s", n.host)
	case n.job == "" && len(running) > 1:
		more := ""
		if most := 8; len(running) > most {
			more = fmt.Sprintf(" and %d more", len(running)-most)
			running = running[:most]
		}
		return nil, report.Failed(nil, "minissh job attach "+n.target+" JOB names one of them",
			"more than one job runs on %s: %s%s", n.host, strings.Join(running, ", "), more)
	}
	return found, nil
}

// follow shows what the job writes on our standard streams.
func (v *visit) follow(ctx context.Context) int {
	signals := v.signals()
	defer signals.release()
	v.ch.EOF(protocol.TypeStdin)
	var watching sync.WaitGroup
	watching.Go(func() { run.Notices(v.conn, v.ch, run.Answers{}) })
	defer context.AfterFunc(ctx, func() { v.conn.Session.Close(nil) })()
	streams := v.streams
	streams.Stdout = streams.Result.OutTo(streams.Stdout)
	streams.Stderr = streams.Result.ErrTo(streams.Stderr)
	defer run.TellStops(v.conn.Session.TellStop)()
	outcome, err := run.Follow(v.ch, streams)
	if code := signals.detached(); code != 0 && err != nil {
		v.conn.Session.Leave()
		return code
	}
	if err == nil {
		v.ch.Close(nil)
	} else {
		v.conn.Session.Close(nil)
	}
	watching.Wait() // what the daemon noticed comes before what we say
	return v.over(outcome, err)
}

// over ends a visit with the job's outcome, or says why there is none.
func (v *visit) over(outcome *run.Outcome, err error) int {
	if err != nil {
		v.conn.Session.Close(nil)
		if err = v.cut(err); err != nil {
			v.streams.Result.Failed(err)
			v.conn.Messages.Error(err)
		}
		return report.ExitFailure
	}
	v.ch.Close(nil)
	v.conn.Session.Leave()
	v.streams.Result.Ended(outcome)
	outcome.Explain(v.conn)
	return outcome.ExitCode()
}

// cut says why we see no more of a job. Of those that go on, it says so.
func (v *visit) cut(err error) error {
	_, closed := errors.AsType[*run.Closed](err)
	_, ours := errors.AsType[*report.Failure](err)
	if closed || ours {
		return v.failed(err, v.ch, "")
	}
	return report.Failed(err, v.typed("attach")+" comes back",
		"%v; that does not stop job %s there", run.SessionOver(v.host, err), v.job)
}
