//go:build unix

package dial_test

import (
	"crypto"
	"crypto/ed25519"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/client/fakedaemon"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
)

// asking is a key whose agent asks a person each time (ssh-add -c).
type asking struct {
	ed25519.PrivateKey
	takes atomic.Int64 // until the yes
	asked atomic.Int32
}

func (a *asking) SignMessage(random io.Reader, message []byte, opts crypto.SignerOpts) ([]byte,
	error) {
	a.asked.Add(1)
	<-time.After(time.Duration(a.takes.Load()))
	return a.PrivateKey.Sign(random, message, opts)
}

// A person who says yes slowly is asked once for each new link (every five seconds anew, and no
// answer counted). If the connection has been closed meanwhile, there is a second question.
func TestSlowYes(t *testing.T) {
	for _, c := range []struct {
		takes, closed time.Duration
		asked         int32
	}{
		{12 * time.Second, time.Hour, 1}, {90 * time.Second, time.Hour, 1},
		{30 * time.Second, 20 * time.Second, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			net := fakedaemon.NewNetwork(t, func(ch *mux.Channel) { fakedaemon.Begin(ch, "") })
			net.Daemon.Killed = time.Hour
			_, private, err := ed25519.GenerateKey(nil)
			if err != nil {
				t.Fatal(err)
			}
			key := &asking{PrivateKey: private}
			public, err := ssh.NewPublicKey(private.Public())
			if err != nil {
				t.Fatal(err)
			}
			net.Dialer.Identity = &keys.Identity{Public: public, Private: key}
			conn, err := net.Dialer.Dial(t.Context(), func(s *mux.Session) error {
				_, err := s.Open(&protocol.Open{Service: "exec", Command: protocol.Bytes("x")})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			net.Link = func(n int, l *fakedaemon.Link) error {
				time.AfterFunc(c.closed, func() {
					if n == 1 {
						l.Close()
					}
				})
				return nil
			}
			synctest.Wait()
			key.asked.Store(0)
			key.takes.Store(int64(c.takes))
			net.Links()[0].Close()
			<-time.After(time.Duration(c.asked) * (c.takes + time.Second))
			if n := key.asked.Load(); n != c.asked || conn.Lost() != nil {
				t.Errorf("yes after %v: asked %d times, %+v", c.takes, n, conn.Lost())
			}
			conn.Session.Close(nil)
		})
	}
}
