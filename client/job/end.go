package job

import (
	"context"
	"fmt"
	"io"

	"minissh/client/dial"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/protocol"
)

// Stop ends a job, waits until it has ended, and says on out how. It returns our exit code.
func Stop(ctx context.Context, d *dial.Dialer, job string, out io.Writer) int {
	return interruptible(ctx, func(ctx context.Context) error {
		r, err := one(ctx, d, protocol.JobStop, job,
			"nobody knows whether the job was stopped")
		if err == nil {
			_, err = fmt.Fprintf(out, "job %s on %s %s\n", label(r), d.Options.Alias, ended(r))
		}
		return err
	}, d)
}

// Remove removes a job that has ended, with its output. It returns our exit code.
func Remove(ctx context.Context, d *dial.Dialer, job string, out io.Writer) int {
	return interruptible(ctx, func(ctx context.Context) error {
		r, err := one(ctx, d, protocol.JobRemove, job,
			"nobody knows whether the job was removed")
		if err == nil {
			_, err = fmt.Fprintf(out, "job %s on %s was removed, with its output\n", label(r),
				d.Options.Alias)
		}
		return err
	}, d)
}

// one asks for something to be done to one job, and returns its record. sent is what to say if the
// answer is lost.
func one(ctx context.Context, d *dial.Dialer, do, job, sent string) (*protocol.JobRecord, error) {
	n := naming(d, job)
	a, err := ask(ctx, d, &protocol.Open{Service: "job", Job: &protocol.Job{Do: do, Name: job}})
	defer a.end()
	switch {
	case err != nil:
		return nil, n.failed(err, a.ch, sent)
	case len(a.records) != 1:
		return nil, report.Failed(nil, "minissh job list "+n.target+" tells",
			"%s did not say what became of the job", n.host)
	}
	return &a.records[0], nil
}

// ended says how a job ended.
func ended(r *protocol.JobRecord) string {
	switch {
	case r.State == protocol.JobRunning:
		return "still runs"
	case r.State == protocol.JobLost:
		return "had been lost: its keeper was killed, and how it ended is not known"
	case r.State == protocol.JobReboot:
		return "had been lost when the machine was restarted"
	case r.Exit == nil || r.Exit.Check() != nil:
		return "has ended, and how is not known"
	}
	outcome := run.Outcome{Exit: r.Exit}
	switch {
	case outcome.Unclear() != "":
		return "has ended: " + outcome.Unclear()
	case r.Exit.How == protocol.HowExited:
		return fmt.Sprintf("exited with %d", *r.Exit.Code)
	case r.Exit.How == protocol.HowSignalled:
		return "was ended by signal " + quoted(r.Exit.Signal)
	case r.Exit.How == protocol.HowDeadline:
		return "was stopped by its --timeout"
	}
	return "was stopped"
}
