package main

import (
	"io"

	"minissh/client/options"
	"minissh/client/report"
)

// systemLog is -y, which needs a log of Unix.
func systemLog(*options.Options) (io.Writer, error) {
	return nil, report.Failed(nil, "leave out -y; -E FILE writes messages to a file",
		"this system has no log for -y")
}
