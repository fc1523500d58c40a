package dial

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// An agent that asks a person (ssh-add -c), and was told no, is not asked again every second:
// whoever can cut a link could make it ask hundreds of times.
func TestAgentIsNotAskedEverySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := mux.New(mux.Config{Role: mux.Client, Resend: 1 << 20})
		daemon := mux.New(mux.Config{Role: mux.Daemon, Resend: 1 << 20, Hold: time.Hour})
		near, far := net.Pipe()
		go func() {
			f, err := protocol.NewReader(far).Next()
			var hello protocol.Hello
			if err == nil && f.Decode(&hello) == nil {
				daemon.Accept(far, &hello, &protocol.Welcome{})
			}
			far.Close()
		}()
		hello := protocol.Hello{User: "u", Hold: 3600}
		welcome, err := client.Connect(near, &hello)
		if err != nil {
			t.Fatal(err)
		}
		asked := 0
		k := &keeper{session: client, hello: hello, longest: time.Hour,
			debug: func(string, ...any) {}, hurry: make(chan struct{}, 1),
			more: again{connect: func(context.Context, context.Context, string) (
				*transport.Conn, error) {
				asked++
				return nil, &unsigned{errors.New("the agent was told no")}
			}}}
		k.granted(welcome)
		ended := make(chan struct{})
		go func() { k.run(); close(ended) }()
		near.Close()
		<-time.After(10 * time.Minute)
		client.Close(nil)
		<-ended
		daemon.Close(nil)
		// the first attempt comes at once, the others are 15 seconds apart
		if asked < 2 || asked > 41 {
			t.Errorf("asked %d times in ten minutes", asked)
		}
	})
}
