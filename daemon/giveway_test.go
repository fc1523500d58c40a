//go:build unix

package daemon

import (
	"strings"
	"testing"
	"time"

	"minissh/protocol"
	"minissh/protocol/testend"
)

// A user whose share of sessions is used up, but by sessions without a link, can log in (such a
// user could not for as long as they were held): the oldest of them ends, and the log has one line
// about that. Sessions with a link stay, and so do other users'.
func TestHeldSessionsGiveWay(t *testing.T) {
	before := holding()
	l := newLab(t, func(o *Options) {
		o.Shares.Sessions, o.Shares.Commands, o.StopGrace = 3, 2, time.Hour
	})
	mine := l.guest
	l.guest = l.second()
	stranger, _ := l.held("exec cat")
	l.guest = mine
	oldest, _ := l.heldReady("trap '' HUP; echo ready; while :; do sleep 1000; done")
	later, _ := l.held("exec cat")
	linked := l.resumer().mustAttach()
	for _, gives := range []*resumer{oldest, later} {
		if away := l.waiting(); away < 2 {
			t.Errorf("%d sessions are held", away)
		}
		l.resumer().mustAttach()
		if code := gives.refusal(mine, nil).Code; code != "session_expired" {
			t.Errorf("the oldest: %q", code)
		}
	}
	l.log.want(t, "Command ended", "how=hung_up")
	const line = "Session given up for tester from 127.0.0.1 port "
	l.log.want(t, line, "a new login of its key takes its place (--max-sessions-per-user)")
	if text := l.log.String(); strings.Count(text, line) != 2 ||
		strings.Contains(text, "Session expired") {
		t.Error(text)
	}
	full := l.resumer()
	code, message := refusedWith(full.attach())
	if code != "too_many_sessions" || !strings.HasPrefix(message, "this key has 3 sessions") {
		t.Errorf("when all have a link: %q %q", code, message)
	}
	full.Close(nil)
	stranger.mustAttach()
	// what a session that gave way leaves running goes on counting
	testend.Until(t, "a command instead of the later session's", func() bool {
		ch := start(t, linked.Session,
			protocol.Open{Command: protocol.Bytes("echo ready; exec cat")})
		e, err := ch.Next(make([]byte, 1))
		return err == nil && e.N > 0 // else that one has ended just now, and still counts
	})
	if got := collect(t, shell(t, linked.Session, "true")); got.refused == nil ||
		got.refused.Code != "too_many_commands" {
		t.Errorf("a third command: %+v", got)
	}
	l.stop()
	settle(t, before)
}
