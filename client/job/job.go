// Package job is about jobs, which go on without their client (protocol/JOBS.md): it starts them
// (start.go), goes back to one (attach.go; on a terminal: screen.go), and lists, stops and removes
// them (list.go, end.go). talk.go asks the daemon for records, words.go says what went wrong.
//
// detach.go makes a job of what a shell shows: its escape ~d (client/run/detach.go).
package job

import (
	"minissh/client/dial"
	"minissh/client/report"
	"minissh/protocol"
)

// named is how people know a job of a host.
type named struct {
	host   string // as the user named it
	target string // what to type to reach it
	job    string // its name or id, as the user gave it; or its id
}

func naming(d *dial.Dialer, job string) named {
	return named{host: d.Options.Alias, target: report.Again(d.Options), job: job}
}

// typed is a command line about the job.
func (n named) typed(verb string) string {
	return "minissh job " + verb + " " + n.target + " " + n.job
}

// label is a job in words: its id, and its name if it has one.
func label(r *protocol.JobRecord) string {
	if r.Name == "" {
		return shownID(r)
	}
	return shownID(r) + " (" + protocol.Quote(r.Name) + ")"
}

// shownID is a job's id; quoted if the daemon gave something else.
func shownID(r *protocol.JobRecord) string {
	if protocol.ValidJobName(r.ID) {
		return r.ID
	}
	return protocol.Quote(r.ID)
}
