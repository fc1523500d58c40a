package main

import (
	"context"
	"os"
	"time"
)

// forcedAfter is how long after the second signal the daemon may still be there, whatever hangs.
const forcedAfter = 1500 * time.Millisecond

// onSignals hands on the first signal; at the second, hurry ends. A little later the program does, and that depends on
// nothing else: on no log that takes a line, on no goroutine that answers, on no lock.
func onSignals(signals <-chan os.Signal) (first <-chan os.Signal, hurry context.Context) {
	handed := make(chan os.Signal, 1)
	hurry, cancel := context.WithCancel(context.Background())
	go func() {
		handed <- <-signals
		<-signals
		time.AfterFunc(forcedAfter, func() { os.Exit(1) })
		cancel()
	}()
	return handed, hurry
}
