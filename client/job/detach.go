package job

import (
	"context"
	"io"
	"sync/atomic"

	"minissh/client/dial"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Detacher is how a shell becomes a job (JO10); out gets the line that says which.
func Detacher(out io.Writer) run.Detach {
	return func(conn *dial.Connection, ch *mux.Channel, refused func(error)) func(context.Context,
		[]byte) error {
		n := named{host: conn.Options.Alias, target: report.Again(conn.Options)}
		a := &adoption{named: n, over: make(chan struct{})}
		a.ch, a.err = conn.Session.Open(&protocol.Open{Service: "job",
			Job: &protocol.Job{Do: protocol.JobAdopt, Channel: int64(ch.ID())}})
		if a.err != nil {
			close(a.over)
			go refused(a.err)
		} else {
			go a.await(refused)
		}
		return func(ctx context.Context, shown []byte) error { return a.finish(ctx, shown, out) }
	}
}

// adoption is under way.
type adoption struct {
	named
	ch        *mux.Channel
	finishing atomic.Bool

	over    chan struct{} // closed when the rest is constant
	records []protocol.JobRecord
	err     error
}

// await takes the answer, of which a refusal comes before what runs has been handed over.
func (a *adoption) await(refused func(error)) {
	defer close(a.over)
	if a.records, a.err = answer(a.ch); a.err != nil && !a.finishing.Load() {
		refused(a.failed(a.err, a.ch, ""))
	}
}

// finish sends what was shown, and says which job there is.
func (a *adoption) finish(ctx context.Context, shown []byte, out io.Writer) error {
	a.finishing.Store(true)
	go func() {
		a.ch.Write(protocol.TypeStdin, shown) // the answer tells of a failure
		a.ch.EOF(protocol.TypeStdin)
	}()
	select {
	case <-a.over:
	case <-ctx.Done():
		return report.Failed(nil, "minissh job list "+a.target+" tells",
			"%s has not said which job it has made of what ran", a.host)
	}
	switch {
	case a.err != nil:
		return a.failed(a.err, a.ch, "it may be a job")
	case len(a.records) != 1:
		return report.Failed(nil, "minissh job list "+a.target+" tells",
			"%s did not say which job it has made", a.host)
	}
	return a.tell(&a.records[0], out)
}
