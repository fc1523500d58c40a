//go:build unix

package run

import (
	"os"
	"os/signal"
	"syscall"

	"minissh/client/terminal"
	"minissh/protocol/mux"
)

// TellStops tells the daemon when Ctrl-Z stops us, and when we continue, until end is called. The
// daemon waits a day for a client that said so, minutes for another (RE6). A process that ignores
// Ctrl-Z still does.
func TellStops(session *mux.Session) (end func()) {
	if signal.Ignored(syscall.SIGTSTP) {
		return func() {}
	}
	stops, over := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(stops, syscall.SIGTSTP)
	go func() {
		for {
			select {
			case <-over:
				signal.Stop(stops)
				return
			case <-stops:
				session.TellStop(true)
				terminal.StopSelf(stops)
				session.TellStop(false)
			}
		}
	}()
	return func() { close(over) }
}
