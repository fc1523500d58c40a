//go:build unix

package run

import (
	"os"
	"os/signal"
	"syscall"

	"minissh/client/terminal"
)

// TellStops has the daemon told (mux.Session's TellStop) when Ctrl-Z stops us, and when we
// continue, until end is called. The daemon waits a day for a client that said so, minutes for
// another (RE6). A process that ignores Ctrl-Z still does.
func TellStops(tell func(stopping bool)) (end func()) {
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
				tell(true)
				terminal.StopSelf(stops)
				tell(false)
			}
		}
	}()
	return func() { close(over) }
}
