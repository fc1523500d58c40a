//go:build unix

package daemon

import (
	"fmt"
	"testing"

	"minissh/protocol"
)

// A user whose clients read and never acknowledge makes the daemon keep no more than that user's
// share, over all of the sessions, and the least that each may have (RULES D5). It was 64 MiB for
// each of 512 sessions.
func TestKeptIsShared(t *testing.T) {
	const share, sessions = 2 << 20, 3
	// a frame more than the least, and its share of the step beyond it
	const most = share + sessions*(protocol.MinResend+protocol.MaxFrame)
	l := newLab(t, func(o *Options) { o.MaxKept, o.Shares.Kept = 64<<20, share })
	total := 0
	for i := range sessions {
		p := l.knock(l.guest)
		p.send(hello(func(h *protocol.Hello) {
			h.Session, h.Create, h.Resend, h.Hold = fmt.Sprintf("%064x", i+1), true, 64<<20, 60
		}))
		p.send(protocol.AppendFrame(nil, protocol.TypeOpen, 0, 1,
			[]byte(`{"service":"exec","command":"exec yes"}`)))
		p.send(protocol.AppendNumber(nil, protocol.TypeWindow, 1, 1<<40))
		// It is full when a number of PONGs come with nothing before them.
		for quiet, before := 0, total; quiet < 200 && total <= most; {
			p.send(protocol.AppendNumber(nil, protocol.TypePing, 0, 1))
			for pong := false; !pong; {
				f, err := p.in.Next()
				if err != nil {
					t.Fatal(err)
				}
				if pong = f.Type == protocol.TypePong; f.Type.IsData() {
					total += int(f.Length)
					quiet = 0
				}
			}
			if total > before {
				quiet++
			}
		}
	}
	if total > most {
		t.Errorf("%d bytes came that nobody acknowledged; %d at most were wanted", total, most)
	}
}
