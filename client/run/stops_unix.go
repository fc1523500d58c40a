//go:build unix

package run

import (
	"os"
	"os/signal"
	"syscall"

	"minissh/client/terminal"
	"minissh/protocol/mux"
)

// tellStops has the daemon told when Ctrl-Z stops us, and when we go on: it waits for a client that
// said so for a day, for another for minutes (RE6). It ends with the process. A process that
// ignores Ctrl-Z goes on doing so.
func tellStops(session *mux.Session) {
	if signal.Ignored(syscall.SIGTSTP) {
		return
	}
	stops := make(chan os.Signal, 1)
	signal.Notify(stops, syscall.SIGTSTP)
	go func() {
		for range stops {
			session.TellStop(true)
			terminal.StopSelf(stops)
			session.TellStop(false)
		}
	}()
}
