package main

import (
	"io"
	"log/slog"
	"os"

	"minissh/protocol/transport"
)

// rootKeyLog is why root's daemon logs no keys: what it serves is not its own alone.
type rootKeyLog struct{}

func (rootKeyLog) Error() string {
	return "--keylog is refused to a daemon that runs as root: the file would open every user's connections"
}

func (rootKeyLog) Hint() string {
	return "run minisshd as an ordinary user for it, or log the keys at the client: minissh --keylog FILE host command"
}

// openKeyLog opens the file that --keylog names, "" being none, and warns of it (RULES A13).
func openKeyLog(path string, log *slog.Logger) (io.Writer, error) {
	if path == "" {
		return nil, nil
	}
	if os.Geteuid() == 0 {
		return nil, rootKeyLog{}
	}
	file, err := transport.OpenKeyLog(path)
	if err != nil {
		return nil, err
	}
	log.Warn("Keys are logged: " + transport.KeyLogWarning(path))
	return file, nil
}
