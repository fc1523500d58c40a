// Package outcome writes what became of a command as data, for programs (--outcome FILE): one JSON
// object, which is written on failures too.
package outcome

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"minissh/client/dial"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/protocol"
	"minissh/protocol/keys"
)

// Record is the object. What is not known is missing.
type Record struct {
	Host     string       `json:"host,omitempty"` // as the user named it
	User     string       `json:"user,omitempty"`
	HostKey  string       `json:"host_key,omitempty"` // its fingerprint
	How      string       `json:"how,omitempty"`      // EX6's
	Code     *int         `json:"code,omitempty"`     // if it exited by itself
	Signal   string       `json:"signal,omitempty"`   // that ended it, without SIG
	Failure  report.Class `json:"failure,omitempty"`
	Message  string       `json:"message,omitempty"` // of the failure
	Started  string       `json:"started,omitempty"` // RFC 3339, by the clock here; a job's: there
	Duration int64        `json:"duration_ms,omitempty"`
	UserTime int64        `json:"user_ms,omitempty"`
	System   int64        `json:"system_ms,omitempty"`
	MaxRSS   int64        `json:"max_rss_kib,omitempty"`
	In       int64        `json:"bytes_in"`
	Out      int64        `json:"bytes_out"`
	Err      int64        `json:"bytes_err"`
	Links    int          `json:"links_lost"`
}

// File is the file of one run. Its methods may be called on nil, and then do nothing.
type File struct {
	file   *os.File
	path   string
	dialer *dial.Dialer
	result *run.Result

	once sync.Once
}

// Create makes or empties the file, before anything else is done; what is not a regular file is
// refused. "": there is none.
func Create(path string) (*File, error) {
	if path == "" {
		return nil, nil
	}
	cannot := func(err error) error {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return report.Failed(err, "--outcome FILE names another",
			"the outcome cannot be written to %s: %v", protocol.Quote(path), err).
			Of(report.ClassUsage)
	}
	irregular := errors.New("it is not a regular file")
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, cannot(irregular)
	}
	// a named pipe that took its place must not hang us, and is not emptied
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|nonBlocking, 0o600)
	if err != nil {
		return nil, cannot(err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = irregular
	}
	if err == nil {
		err = file.Truncate(0)
	}
	if err != nil {
		file.Close()
		return nil, cannot(err)
	}
	return &File{file: file, path: path}, nil
}

// Watch says what is run, and returns what is to be told of it.
func (f *File) Watch(d *dial.Dialer) *run.Result {
	if f == nil {
		return nil
	}
	f.dialer, f.result = d, new(run.Result)
	return f.result
}

// Write writes the object, once. err, if not nil, is why nothing was run.
func (f *File) Write(err error) (failed error) {
	if f == nil {
		return nil
	}
	f.once.Do(func() {
		var r Record
		if f.dialer == nil {
			r.Failure = report.ClassUsage
			if err != nil {
				r.Message = err.Error()
			}
		} else {
			r = Of(f.dialer, f.result)
		}
		text, _ := json.Marshal(&r)
		if _, failed = f.file.Write(append(text, '\n')); failed == nil {
			failed = f.file.Close()
		}
		if failed != nil {
			failed = report.Failed(failed, "is the disk full?",
				"the outcome was not written to %s: %v", protocol.Quote(f.path),
				report.Plain(failed))
		}
	})
	return failed
}

// Of is what is known of what was run.
func Of(d *dial.Dialer, result *run.Result) Record {
	o, facts := d.Options, result.Facts()
	r := Record{Host: o.Alias, User: o.User, In: facts.In, Out: facts.Out,
		Err: facts.Err}
	if d.Shown != nil {
		r.HostKey = keys.Fingerprint(d.Shown)
	}
	if facts.Conn != nil {
		r.Links = facts.Conn.LinksLost()
	}
	if !facts.Began.IsZero() {
		r.Started = facts.Began.UTC().Format(time.RFC3339Nano)
	}
	switch {
	case facts.Outcome != nil && facts.Outcome.Exit != nil:
		e := facts.Outcome.Exit
		r.How, r.Code, r.Signal = e.How, e.Code, e.Signal
		r.Duration, r.UserTime, r.System, r.MaxRSS = e.Duration, e.UserTime, e.SysTime, e.MaxRSS
		switch {
		case e.How == protocol.HowDeadline:
			r.Failure = report.ClassDeadline
		case e.Check() != nil:
			r.Failure, r.Message = report.ClassInternal, facts.Outcome.Unclear()
		}
	case facts.Failure != nil:
		r.Failure, r.Message = classOf(facts.Failure, facts.Conn != nil), facts.Failure.Error()
	default: // a signal, or ~.
		r.Failure = report.ClassInterrupted
		r.Message = "minissh was ended before the command"
	}
	return r
}

// classOf is report.ClassOf, and knows that a signal to us may end a login.
func classOf(err error, loggedIn bool) report.Class {
	if errors.Is(err, context.Canceled) {
		return report.ClassInterrupted
	}
	return report.ClassOf(err, loggedIn)
}
