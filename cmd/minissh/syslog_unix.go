//go:build unix

package main

import (
	"bytes"
	"io"
	"log/syslog"

	"minissh/client/options"
	"minissh/client/report"
)

// systemLog is -y: each line is a message of the system's log.
func systemLog(o *options.Options) (io.Writer, error) {
	log, err := syslog.New(syslog.Priority(o.Facility()<<3)|syslog.LOG_INFO, "minissh")
	if err != nil {
		return nil, report.Failed(err, "leave out -y; -E FILE writes messages to a file",
			"cannot write messages to the system's log: %v", report.Plain(err))
	}
	return lineLog{log}, nil
}

// lineLog writes lines without the name of this program, which the log has already.
type lineLog struct{ to io.Writer }

func (l lineLog) Write(text []byte) (int, error) {
	for line := range bytes.Lines(text) {
		line = bytes.TrimPrefix(bytes.TrimRight(line, "\r\n"), []byte("minissh: "))
		if _, err := l.to.Write(line); len(line) > 0 && err != nil {
			return 0, err
		}
	}
	return len(text), nil
}
