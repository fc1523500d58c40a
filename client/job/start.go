package job

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/client/terminal"
	"minissh/protocol"
)

// Start is --detach: it starts what the options name, and says on out, in one line, which job that
// is as soon as the command has started. It returns our exit code.
func Start(ctx context.Context, d *dial.Dialer, out io.Writer) int {
	return interruptible(ctx, func(ctx context.Context) error {
		o := d.Options
		request := run.Request(d)
		request.Service, request.Agent = "job", 0
		request.Job = &protocol.Job{Do: protocol.JobStart, Name: o.JobName, Wait: o.SpoolWait,
			Spool: o.Spool}
		if o.RequestTTY == options.TTYYes || o.RequestTTY == options.TTYForce {
			run.PTY(request, o, terminal.New(os.Stdin))
		}
		n := naming(d, o.JobName)
		a, err := ask(ctx, d, request)
		defer a.end()
		switch {
		case err != nil:
			return n.notStarted(err, a)
		case len(a.records) != 1:
			return report.Failed(nil, "minissh job list "+n.target+" tells",
				"%s did not say which job it has started", n.host)
		}
		return n.tell(&a.records[0], out)
	}, d)
}

// Over starts a line as a job over a connection that is there, in a directory (nil: the home), and
// says on out which job it is.
func Over(ctx context.Context, conn *dial.Connection, line string, dir protocol.Bytes,
	out io.Writer) error {
	request := &protocol.Open{Service: "job", Dir: dir,
		Job: &protocol.Job{Do: protocol.JobStart}}
	run.Put(request, line)
	n := named{host: conn.Options.Alias, target: report.Again(conn.Options)}
	ch, err := run.Open(conn.Session, request)
	if err != nil {
		return n.failed(err, nil, "")
	}
	run.SendLong(ch, line) // the channel tells of a failure
	defer context.AfterFunc(ctx, func() {
		ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	})()
	records, err := answer(ch)
	switch {
	case err != nil:
		a := &asked{conn: conn, ch: ch}
		return n.notStarted(err, a)
	case len(records) != 1:
		return report.Failed(nil, "minissh job list "+n.target+" tells",
			"%s did not say which job it has started", n.host)
	}
	return n.tell(&records[0], out)
}

// tell says which job there is, in one line.
func (n named) tell(record *protocol.JobRecord, out io.Writer) error {
	if !protocol.ValidJobName(record.ID) { // it goes into what people paste
		return report.Failed(nil, "minissh job list "+n.target+" lists what runs there",
			"%s has a job with the id %s, which is not one", n.host, protocol.Quote(record.ID))
	}
	n.job = record.ID
	_, err := fmt.Fprintf(out, "job %s on %s; to come back: %s\n", label(record), n.host,
		n.typed("attach"))
	if err != nil {
		return report.Failed(err, n.typed("attach"),
			"job %s has started, but standard output cannot be written: %v", n.job,
			report.Plain(err))
	}
	return nil
}

// notStarted says why there is no job, as of a command that was refused.
func (n named) notStarted(err error, a *asked) error {
	if closed, ok := errors.AsType[*run.Closed](err); ok {
		switch closed.Code {
		case protocol.CodeStartFailed, protocol.CodeNoDirectory, protocol.CodeBadRequest:
			return run.KnownOf(a.conn, a.ch).Unknown(closed)
		}
	}
	return n.failed(err, a.ch, "nobody knows whether the job was started")
}

// interruptible does something that our first signal ends, tells of an error, and returns our exit
// code.
func interruptible(ctx context.Context, do func(context.Context) error, d *dial.Dialer) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signals := run.Signals(cancel)
	defer signals.Release()
	err := do(ctx)
	code, caught := signals.Caught()
	switch {
	case err == errInterrupted: // who sent the signal knows
	case err != nil:
		d.Messages.Error(err)
	}
	if caught || err == nil {
		return code
	}
	return report.ExitFailure
}
