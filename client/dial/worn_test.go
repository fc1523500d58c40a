//go:build unix

package dial_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"minissh/client/fakedaemon"
	"minissh/client/run"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// A link that has carried as much as it may is replaced, and nobody notices: by the client, or
// after the daemon has closed it (SE8). A daemon then holds the session for its whole time, though
// its end is a FIN (RE4).
func TestWornLinks(t *testing.T) {
	const most, size = 256 << 10, 2 << 20
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{}).Read(data)
	for _, c := range []struct {
		name           string
		client, daemon int64
		outage         time.Duration // after the second link
		links          int           // at least
		within         time.Duration
	}{
		{"the client's limit", most, 0, 0, size / most, 10 * time.Second},
		{"the daemon's limit", 0, most, 0, size / most, 30 * time.Second},
		{"both limits", most, most, 0, size / most, 10 * time.Second},
		{"the daemon's limit, and the client cannot come back for a minute", 0, most, time.Minute,
			size / most, 100 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			var starts atomic.Int32
			n := fakedaemon.NewNetwork(t, func(ch *mux.Channel) { // sends back what it gets
				starts.Add(1)
				fakedaemon.Begin(ch, "")
				buffer := make([]byte, 32<<10)
				for {
					e, err := ch.Next(buffer)
					if err != nil {
						t.Errorf("%s: the daemon's end: %v", c.name, err)
						return
					}
					if e.EOF {
						break
					}
					ch.Write(protocol.TypeStdout, buffer[:e.N])
				}
				fakedaemon.Exited(ch, 0)
			})
			n.Daemon.LinkMost = c.daemon
			n.Dialer.SetLinkMost(c.client)
			var until time.Time
			n.Link = func(number int, l *fakedaemon.Link) error {
				if number == 2 && until.IsZero() {
					until = time.Now().Add(c.outage)
				}
				if time.Now().Before(until) {
					return errors.New("down")
				}
				return nil
			}
			began := time.Now()
			var ch *mux.Channel
			conn, err := n.Dialer.Dial(t.Context(), func(s *mux.Session) (err error) {
				ch, err = s.Open(&protocol.Open{Service: "exec", Command: protocol.Bytes("cat")})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				ch.Write(protocol.TypeStdin, data)
				ch.EOF(protocol.TypeStdin)
			}()
			var out, errs bytes.Buffer
			if _, err = run.Follow(ch, run.Streams{Stdout: &out, Stderr: &errs}); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if !bytes.Equal(out.Bytes(), data) || starts.Load() != 1 {
				t.Errorf("%s: %d bytes of %d, or others; %d starts", c.name, out.Len(), size,
					starts.Load())
			}
			if links := len(n.Links()); links < c.links || links > 100+int(c.outage.Seconds()*2) {
				t.Errorf("%s: %d links", c.name, links)
			}
			if took := time.Since(began); took > c.within {
				t.Errorf("%s: it took %v", c.name, took)
			}
			conn.Session.Close(nil)
		})
	}
}
