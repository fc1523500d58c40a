package job

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"minissh/client/dial"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Bounds on what a daemon may tell of an account's jobs, in bytes.
const (
	mostRecord  = 64 << 10
	mostRecords = 64 << 20
)

// asked is an answer to a request about jobs.
type asked struct {
	conn    *dial.Connection // nil: there was no login
	ch      *mux.Channel
	records []protocol.JobRecord
}

// end leaves the session.
func (a *asked) end() {
	if a.conn != nil {
		a.conn.Session.Leave()
	}
}

// ask logs in and asks; the session stays, for end. A signal to us ends it.
func ask(ctx context.Context, d *dial.Dialer, request *protocol.Open) (a *asked, err error) {
	a = &asked{}
	a.conn, err = d.Dial(ctx, func(s *mux.Session) (err error) {
		a.ch, err = run.Open(s, request)
		return err
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return a, errInterrupted
	case err != nil:
		return a, err
	}
	run.SendLong(a.ch, d.Options.CommandLine()) // the channel tells of a failure
	defer context.AfterFunc(ctx, func() { a.conn.Session.Close(nil) })()
	if a.records, err = answer(a.ch); err != nil && ctx.Err() != nil {
		err = errInterrupted
	}
	return a, err
}

// errInterrupted says that a signal to us ended a request.
var errInterrupted = errors.New("interrupted")

// answer takes the records of a request, until its end.
func answer(ch *mux.Channel) ([]protocol.JobRecord, error) {
	var list records
	exit, err := run.Follow(ch, run.Streams{Stdout: &list, Stderr: io.Discard})
	ch.Close(nil)
	switch {
	case err != nil:
		return nil, err
	case list.rest.Len() > 0:
		return nil, report.Failed(nil, "", "the last record of a job that came is not whole")
	case exit.ExitCode() != 0:
		return nil, report.Failed(nil, "", "the list of jobs was not finished there: exit code %d",
			exit.ExitCode())
	}
	return list.all, nil
}

// records takes one record a line.
type records struct {
	all  []protocol.JobRecord
	rest bytes.Buffer // of a line
	size int          // bytes so far
}

func (r *records) Write(p []byte) (int, error) {
	if r.size += len(p); r.size > mostRecords {
		return 0, errors.New("there are too many records of jobs")
	}
	r.rest.Write(p)
	for {
		end := bytes.IndexByte(r.rest.Bytes(), '\n')
		if end < 0 && r.rest.Len() <= mostRecord {
			return len(p), nil
		}
		if end < 0 || end > mostRecord {
			return 0, errors.New("a record of a job is too long")
		}
		var record protocol.JobRecord
		if err := json.Unmarshal(r.rest.Next(end+1), &record); err != nil {
			return 0, errors.New("a record of a job cannot be read")
		}
		r.all = append(r.all, record)
	}
}
