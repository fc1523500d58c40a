package prompt

import (
	"io"
	"testing"

	"minissh/client/fakedaemon"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// The first Ctrl-C asks the line's command, the second kills it, and the third waits for nothing.
// Between lines there is nobody to ask.
func TestInterrupt(t *testing.T) {
	signals := make(chan string)
	conn := fakedaemon.NewMemory(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "")
		signals <- "running"
		for range 2 {
			e := <-ch.Requests()
			signals <- e.Message.(*protocol.Signal).Signal
		}
		<-ch.Gone()
		ch.Close(nil)
	}).Connect(t)
	r := &runner{conn: conn}
	r.Interrupt(1)
	ended := make(chan error)
	go func() {
		_, err := r.Run(t.Context(), "deaf", io.Discard, io.Discard)
		ended <- err
	}()
	for n, want := range []string{"running", "INT", "KILL"} {
		if got := <-signals; got != want {
			t.Errorf("%s instead of %s", got, want)
		}
		r.Interrupt(n + 1)
	}
	if err := <-ended; err == nil {
		t.Error("the line has an outcome")
	}
	if r.Interrupt(1); r.ch != nil {
		t.Error("the line is over, and would be asked")
	}
}
