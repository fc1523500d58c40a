package dial

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"minissh/protocol"
	"minissh/protocol/mux"
)

// Waits between the beginnings of attempts. The first comes at once; the next ones at growing
// intervals, which are a second at most for the first minutes, so that typing goes on within a
// second of the network's return.
const (
	firstWait  = 100 * time.Millisecond
	quickWait  = 800 * time.Millisecond
	quickTries = 300
	slowWait   = 15 * time.Second // after the end of the attempt before
)

// The first attempts have less time. Where the daemon alone has learned that a link has ended, it
// may keep the session for 10 seconds (RE4), and the client begins a second later or more (RE7). So
// a third attempt comes in time, though two have hung.
const (
	earlyTries = 2
	earlyTime  = 3 * time.Second
)

// hurryAfter is how old an attempt is at least that another takes the place of, because the user
// has typed something or the network has changed. TCP has asked several times by then: a way that
// is only slow has answered.
const hurryAfter = 2 * time.Second

// waitBefore is how long to wait before an attempt, 0 being the first.
func waitBefore(attempt int) time.Duration {
	var wait time.Duration
	switch {
	case attempt >= quickTries:
		wait = slowWait
	case attempt > 0:
		wait = min(firstWait<<min(attempt-1, 10), quickWait)
	}
	return wait + rand.N(wait/4+1)
}

// pause waits before an attempt. Whatever hurries it, two do not begin within firstWait, and within
// a second while the daemon refuses us. False: no attempt is needed any more.
func (k *keeper) pause() bool {
	apart, wait := firstWait, waitBefore(k.tries)
	if k.tries >= quickTries {
		apart = time.Second
	} else {
		wait -= time.Since(k.began)
	}
	soonest := k.began.Add(apart)
	timer := time.NewTimer(max(time.Until(soonest), wait))
	defer timer.Stop()
	for {
		select {
		case <-k.session.Done():
			return false
		case <-k.session.LinkChanges():
			if k.works() {
				return false
			}
		case <-k.hurry:
			timer.Reset(max(0, time.Until(soonest)))
		case <-timer.C:
			k.began = time.Now()
			return true
		}
	}
}

// attempt makes one connection, beside the link that may still be there, and puts the session on it
// unless that link has recovered meanwhile. It takes no longer than left. TCP asks at longer and
// longer intervals whether there is an answer, so a new attempt soon takes the place of one whose
// packets were lost; later attempts have more time, for a slow way.
func (k *keeper) attempt(left time.Duration) error {
	longer := min(k.tries/8, 4)
	whole := 5 * time.Second << longer
	if k.tries < earlyTries {
		whole = earlyTime
	}
	most := min(whole, max(left, time.Second))
	if k.limit > 0 {
		most = min(most, k.limit)
	}
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	tcp, again := context.WithTimeout(ctx, time.Second<<longer)
	defer again()
	var watching sync.WaitGroup
	defer watching.Wait()
	over := make(chan struct{})
	defer close(over)
	watching.Go(func() {
		hurry, old := k.hurry, (<-chan time.Time)(nil)
		for {
			select {
			case <-over:
				return
			case <-k.session.Done():
				cancel()
				return
			case <-hurry:
				hurry, old = nil, time.After(time.Until(k.began.Add(hurryAfter)))
			case <-old: // TCP asks less and less often: a new attempt asks now
				k.now()
				again()
			case <-k.session.LinkChanges():
				if k.works() { // the old link wins, or the new one is there
					cancel()
					return
				}
			}
		}
	})
	conn, err := k.more.connect(ctx, tcp, k.generation)
	if err != nil {
		return err
	}
	if k.works() {
		conn.Close()
		return nil
	}
	hello := k.hello
	if k.resign {
		if hello.Auth, err = k.more.sign(conn); err != nil {
			conn.Close()
			return err
		}
	}
	stop := time.AfterFunc(most, func() { conn.Close() })
	defer stop.Stop()
	welcome, err := k.session.Connect(conn, &hello)
	if err == nil {
		k.granted(welcome)
	}
	said, ok := errors.AsType[*protocol.RemoteError](err)
	if ok && said.Code == protocol.CodeSessionUnknown {
		k.session.Abandon(mux.ErrRestarted)
	}
	without := k.more.sign != nil && !k.resign
	k.resign = ok && without && said.Code == protocol.CodeKeyNotAuthorized
	if k.resign {
		return errWantsSignature
	}
	return err
}

// errWantsSignature is a daemon that does not have the session any more, and so does not know whose
// link key it is shown (LO6).
var errWantsSignature = errors.New("the daemon wants a signature once more")
