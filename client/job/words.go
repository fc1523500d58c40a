package job

import (
	"errors"

	"minissh/client/report"
	"minissh/client/run"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// failed says in words why a request about a job was refused, or its session ended. sent says that
// the daemon may have done what was asked.
func (n named) failed(err error, ch *mux.Channel, sent string) error {
	var ours *report.Failure
	var closed *run.Closed
	switch {
	case errors.As(err, &ours):
		return err
	case errors.As(err, &closed):
		return n.refused(closed)
	case ch == nil:
		return err
	}
	over := error(errInterrupted)
	if !errors.Is(err, errInterrupted) {
		over = run.SessionOver(n.host, err)
	}
	if began, _ := ch.Began(); !began || sent == "" {
		return over
	}
	return report.Failed(err, "minissh job list "+n.target+" tells", "%v; %s", over, sent)
}

// refused says in words what a CLOSE means (JO1, JO2, JO6).
func (n named) refused(closed *run.Closed) error {
	list := "minissh job list " + n.target
	fail := func(advice, what string, args ...any) error {
		return report.Failed(closed, advice, what, args...)
	}
	switch closed.Code {
	case protocol.CodeNoJob:
		return fail(list+" lists them", "%s has no job %s", n.host, protocol.Quote(n.job))
	case protocol.CodeJobExists:
		return fail(n.typed("attach")+" goes to it; --name gives another name",
			"a job with the name %s runs on %s already", protocol.Quote(n.job), n.host)
	case protocol.CodeJobLost:
		return fail(list+" tells whether it was a reboot",
			"job %s on %s was lost: its keeper was killed, or the machine was restarted; how its "+
				"command ended is not known", n.job, n.host)
	case protocol.CodeTakenOver:
		return fail(n.typed("attach --share")+" sees it together with that one",
			"another client has taken job %s on %s over; it goes on", n.job, n.host)
	case protocol.CodeBusy:
		return fail(n.typed("stop")+" ends it", "job %s on %s still runs, and stays", n.job, n.host)
	case protocol.CodeTooManyCommands:
		return fail(list+" lists them; minissh job remove "+n.target+" JOB removes one that has "+
			"ended", "%s keeps no more jobs for you: %v", n.host, closed)
	case protocol.CodeUnknownService:
		return fail("there, nohup COMMAND >FILE 2>&1 & lets one go on",
			"minisshd on %s is older than jobs, and knows none", n.host)
	case protocol.CodeServiceRefused:
		return fail("its line in authorized_keys there tells; restrict,minissh-jobs in it lets a "+
			"key that is restricted have jobs",
			"your key may not have jobs on %s: %v", n.host, closed)
	case protocol.CodeShuttingDown:
		return fail("wait until it has started again; jobs are not stopped with it",
			"minisshd on %s is being stopped", n.host)
	}
	return fail("", "%s refused: %v", n.host, closed)
}

// goesOn says that we leave a job, and how to come back.
func (n named) goesOn() error {
	return report.Failed(nil, n.typed("attach")+" comes back; "+n.typed("stop")+" ends it",
		"detached from job %s on %s, which goes on", n.job, n.host)
}
