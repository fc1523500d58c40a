package dial_test

import (
	"errors"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"minissh/client/fakedaemon"
	"minissh/protocol"
	"minissh/protocol/mux"
)

var upTo40 = regexp.MustCompile(`trying for a new one for up to 4\d seconds\n`)

// A daemon that keeps sessions for less time than a silent link is believed in (SE6): a new link is
// tried for as long as there is the old one, and what is told of that time is true. (It was "up to
// 0 seconds" after seven, and "no new one for 5 seconds" after 45.)
func TestHoldShorterThanSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := fakedaemon.NewNetwork(t, func(ch *mux.Channel) { fakedaemon.Begin(ch, "") })
		net.Daemon.Hold = 5 * time.Second
		net.Link = func(n int, _ *fakedaemon.Link) error {
			if n > 0 {
				return errors.New("down")
			}
			return nil
		}
		var ch *mux.Channel
		conn, err := net.Dialer.Dial(t.Context(), func(s *mux.Session) (err error) {
			ch, err = s.Open(&protocol.Open{Service: "exec", Command: protocol.Bytes("x")})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		net.Links()[0].Lose()
		began := time.Now()
		ch.Write(protocol.TypeStdin, []byte("k"))
		<-conn.Session.Done()
		var lost *mux.LinkLost
		if err := conn.Session.Err(); !errors.As(err, &lost) || lost.Tried <
			45*time.Second || lost.Tried > time.Since(began).Round(time.Second) {
			t.Errorf("after %v: %#v", time.Since(began), lost)
		}
		if said := net.Said.String(); !upTo40.MatchString(said) {
			t.Errorf("it said\n%s", said)
		}
	})
}
