//go:build unix

package daemon

import (
	"io"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"minissh/daemon/access"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// A session in which nothing was sent for the time is ended, counted from the last frame of either
// side; signs of life are not, and without the option nothing is too idle.
func TestIdleTimeout(t *testing.T) {
	for _, most := range []time.Duration{10 * time.Minute, 0} {
		synctest.Test(t, func(t *testing.T) {
			log := newLogBuffer()
			near, far := net.Pipe()
			daemon := mux.New(mux.Config{Role: mux.Daemon, Accept: func(ch *mux.Channel) {
				ch.Send(protocol.TypeOpened, &protocol.Opened{PID: 1})
				io.Copy(ch.Writer(protocol.TypeStdout), ch.Reader(protocol.TypeStdin))
			}})
			served := make(chan error)
			go func() {
				f, err := protocol.NewReader(far).Next()
				hello := new(protocol.Hello)
				if err == nil {
					err = f.Decode(hello)
				}
				if err != nil {
					served <- err
					return
				}
				stop := expireIdle(daemon, &access.Client{User: "ann"}, most,
					slog.New(slog.NewTextHandler(log, nil)))
				err = daemon.Accept(far, hello, &protocol.Welcome{})
				stop()
				served <- err
			}()
			client := mux.New(mux.Config{Role: mux.Client})
			if _, err := client.Connect(near, &protocol.Hello{User: "ann"}); err != nil {
				t.Fatal(err)
			}
			ch, err := client.Open(&protocol.Open{Service: "echo"})
			if err != nil {
				t.Fatal(err)
			}
			for range 6 {
				<-time.After(9 * time.Minute)
				if _, err := ch.Write(protocol.TypeStdin, []byte("x")); err != nil {
					t.Fatalf("it was busy enough: %v", err)
				}
				if e, err := ch.Next(make([]byte, 1)); err != nil || e.Type == protocol.TypeOpened {
					t.Fatal(e, err)
				}
			}
			last := time.Now()
			if most == 0 {
				<-time.After(24 * time.Hour)
				client.Close(nil)
				if err := <-served; err != nil {
					t.Error(err)
				}
				return
			}
			<-client.Done()
			if code, _ := refusedWith(client.Err()); code != "idle_timeout" ||
				time.Since(last) != 10*time.Minute {
				t.Errorf("after %v: %v", time.Since(last), client.Err())
			}
			<-served
			if lineWith(log.String(), []string{"Session ended for ann from unix socket: idle",
				"idle=10m0s"}) == "" {
				t.Errorf("the log: %s", log)
			}
		})
	}
}

// Whether a session has a link makes no difference: one whose client does not come back is too idle
// after the same time, unless its hold is over before.
func TestIdleWithoutLink(t *testing.T) {
	for hold, want := range map[time.Duration]error{
		time.Hour: mux.ErrGoodbye, 5 * time.Minute: mux.ErrExpired} {
		synctest.Test(t, func(t *testing.T) {
			log := newLogBuffer()
			daemon := mux.New(mux.Config{
				Role: mux.Daemon, Resend: 64 << 20, Hold: hold, Killed: hold})
			stop := expireIdle(daemon, &access.Client{User: "ann"}, 10*time.Minute,
				slog.New(slog.NewTextHandler(log, nil)))
			defer stop()
			client := mux.New(mux.Config{Role: mux.Client, Resend: 64 << 20})
			began := time.Now()
			for range 3 { // a new link does not count as use
				near, far := net.Pipe()
				served := make(chan error)
				go func() {
					f, err := protocol.NewReader(far).Next()
					hello := new(protocol.Hello)
					if err == nil {
						err = f.Decode(hello)
					}
					if err == nil {
						err = daemon.Accept(far, hello, &protocol.Welcome{})
					}
					served <- err
				}()
				hello := &protocol.Hello{User: "ann", Hold: 3600}
				if _, err := client.Connect(near, hello); err != nil {
					t.Fatal(err)
				}
				<-time.After(time.Minute)
				near.Close()
				<-served
			}
			<-daemon.Done()
			if d := time.Since(began); daemon.Err() != want || want == mux.ErrGoodbye &&
				d != 10*time.Minute {
				t.Errorf("held for %v: it ended after %v: %v", hold, d, daemon.Err())
			}
			line := lineWith(log.String(), []string{"Session ended for ann", "idle=10m0s"})
			if told := line != ""; told != (want == mux.ErrGoodbye) {
				t.Errorf("the log: %s", log)
			}
			client.Close(nil)
		})
	}
}
