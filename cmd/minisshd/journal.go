package main

import (
	"bytes"
	"io"
	"log/slog"
	"time"

	"minissh/daemon/logbook"
)

// lastWords is how long the daemon waits at its end for somebody to read its log or output.
const lastWords = time.Second

// newLog logs to w in lines of key=value, which are clipped and never waited for (logbook). In a
// journal (journal is true) each line begins with its syslog level, <4> for a warning, as in
// sd-daemon(3), and has no time.
func newLog(w io.Writer, level slog.Level, journal bool) (*slog.Logger, *logbook.Sink) {
	options := &slog.HandlerOptions{Level: level}
	if journal {
		options.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}
	}
	return logbook.New(w, func(w io.Writer) slog.Handler {
		if journal {
			w = levelled{w}
		}
		return slog.NewTextHandler(w, options)
	})
}

// levelled puts the level before each line: the text handler writes each record by one Write, and
// level= comes first in it.
type levelled struct{ w io.Writer }

func (l levelled) Write(line []byte) (int, error) {
	prefix := "<6>"
	switch {
	case bytes.HasPrefix(line, []byte("level=ERROR")):
		prefix = "<3>"
	case bytes.HasPrefix(line, []byte("level=WARN")):
		prefix = "<4>"
	case bytes.HasPrefix(line, []byte("level=DEBUG")):
		prefix = "<7>"
	}
	if _, err := l.w.Write(append([]byte(prefix), line...)); err != nil {
		return 0, err
	}
	return len(line), nil
}
