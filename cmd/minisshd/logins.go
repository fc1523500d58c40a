package main

import (
	"log/slog"

	"minissh/daemon/logins"
)

// logins are the machine's books, in which root's daemon records who is on its terminals; nil: they
// are not this daemon's.
func (s *settings) logins(log *slog.Logger) *logins.Book {
	if !s.all {
		return nil
	}
	return logins.Open(logins.System, log)
}
