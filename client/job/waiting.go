package job

import (
	"context"
	"fmt"
	"time"

	"minissh/client/dial"
	"minissh/client/report"
	"minissh/protocol"
)

// Waiting says in one line which shells of ours go on at a host without anybody (JO4, JO11), for
// who has just logged in; "" if there is none, or if that is not known.
func Waiting(ctx context.Context, conn *dial.Connection) string {
	ch, err := conn.Session.Open(&protocol.Open{Service: "job",
		Job: &protocol.Job{Do: protocol.JobList}})
	if err != nil {
		return ""
	}
	defer context.AfterFunc(ctx, func() {
		ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	})()
	records, err := answer(ch)
	if err != nil {
		return ""
	}
	var found []*protocol.JobRecord
	for i := range records {
		r := &records[i]
		if protocol.ValidJobName(r.ID) && r.PTY && r.Attached == 0 &&
			(r.State == protocol.JobRunning || r.State == protocol.JobHeld) {
			found = append(found, r)
		}
	}
	host, target := conn.Options.Alias, report.Again(conn.Options)
	switch len(found) {
	case 0:
		return ""
	case 1:
		what := "a shell"
		if len(found[0].Command) > 0 {
			what = protocol.Quote(begin(string(found[0].Command)))
		}
		return fmt.Sprintf("%s of yours, %s old, goes on at %s; to take it up: minissh job attach "+
			"%s %s", what, age(found[0], time.Now()), host, target, found[0].ID)
	}
	return fmt.Sprintf("%d shells of yours go on at %s: minissh job list %s", len(found), host,
		target)
}
