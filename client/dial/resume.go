package dial

import (
	"cmp"
	"errors"
	"sync"
	"time"

	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Loss is a link that was lost, or is in doubt and cannot be replaced at once.
type Loss struct {
	// Since when there is no link, as far as is known: when it ended, or when the daemon was last
	// heard on one that is silent.
	Since time.Time
	Until time.Time // until when a new link is tried for
	Cause error     // why it was lost, or why the first attempt to replace it failed
	// Refusal is why the daemon, or somebody else who was asked, refused the last attempt that was
	// refused; nil: none was. It may pass.
	Refusal error
}

// keeper keeps a session on a link: it replaces one that is lost, in doubt, or has carried enough
// (RE3, RE7, SE8), until the session has ended or is given up.
type keeper struct {
	session *mux.Session
	more    again
	hello   protocol.Hello
	limit   time.Duration // ConnectTimeout, for each attempt; 0: none
	longest time.Duration // the most that the user wants to wait for a new link
	debug   func(format string, args ...any)
	hurry   chan struct{} // something has changed: try now
	// calls a function when this machine's network has changed; nil: nobody knows
	network func(done <-chan struct{}, changed func())

	// run's own
	tries   int       // attempts since a link was of use
	began   time.Time // when the last attempt began
	joined  time.Time // when the newest link was there
	settled bool      // that link was of use
	resign  bool      // the next HELLO must be signed
	// the daemon that has the session, if there may be several; else ""
	generation string

	mu    sync.Mutex    // guards the rest
	hold  time.Duration // how long the daemon keeps the session without a link
	most  time.Duration // how long after the daemon was last heard a new link is tried for
	watch func(*Loss)
	loss  *Loss // what watch was told last; nil: the link is there
}

// newKeeper is a session's keeper, from its first WELCOME on.
func (d *Dialer) newKeeper(session *mux.Session, welcome *protocol.Welcome, hello protocol.Hello,
	more again) *keeper {
	hello.Keys = nil
	k := &keeper{session: session, more: more, hello: hello,
		limit: d.Options.ConnectTimeout, debug: d.Messages.Debug, hurry: make(chan struct{}, 1),
		longest: d.hold()}
	if d.Network == nil {
		k.network = watchNetwork
	}
	k.granted(welcome)
	return k
}

// granted notes for how long the daemon keeps the session. What the newest WELCOME says counts
// (RE2), but no more than we asked for.
func (k *keeper) granted(welcome *protocol.Welcome) {
	if welcome.Generation != "" {
		k.generation = welcome.Generation
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hold = time.Duration(min(welcome.Hold, k.hello.Hold)) * time.Second
	k.most = min(k.hold, k.longest)
}

// Watch calls f for each link that is lost, and with nil when there is a new one; at once, if there
// is none now. It is called again, with another Loss, when an attempt was refused for a new reason.
// It takes the place of whoever watched before. f must not call Watch or Lost.
func (c *Connection) Watch(f func(*Loss)) {
	k := c.keeper
	if k == nil {
		return // the session ends with its link
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.watch = f; k.loss != nil {
		f(k.loss)
	}
}

// Lost says whether there is no link now.
func (c *Connection) Lost() *Loss {
	if c.keeper == nil {
		return nil
	}
	c.keeper.mu.Lock()
	defer c.keeper.mu.Unlock()
	return c.keeper.loss
}

// LinksLost is how many links the session has lost, or replaced since they were in doubt.
func (c *Connection) LinksLost() int {
	n := c.Session.Greeted() - 1
	if _, last := errors.AsType[*mux.LinkLost](c.Session.Err()); last {
		n++
	}
	return max(n, 0)
}

// Hold is how long the daemon keeps the session without a link; 0: not at all.
func (c *Connection) Hold() time.Duration {
	if c.keeper == nil {
		return 0
	}
	c.keeper.mu.Lock()
	defer c.keeper.mu.Unlock()
	return c.keeper.hold
}

// Hurry makes the next attempt at a new link come now: the user has typed something.
func (c *Connection) Hurry() {
	if c.keeper != nil && c.Lost() != nil {
		c.keeper.now()
	}
}

// now ends the wait before the next attempt.
func (k *keeper) now() {
	select {
	case k.hurry <- struct{}{}:
	default:
	}
}

// tell passes on that the link is lost, or back (nil), and what the last attempt ended with.
func (k *keeper) tell(state *mux.LinkState, failed error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.note(state, failed)
}

// slow is called when a link has been in doubt for a while, or its successor is slow to come.
func (k *keeper) slow() {
	k.mu.Lock()
	defer k.mu.Unlock()
	// under mu: restore tells that the link is back only later, if it was not here
	state := k.session.LinkState()
	if k.session.Err() == nil && (!state.Up || state.Doubtful) {
		k.note(&state, errSilent)
	}
}

// leastDoubt is how long a link is silent at least before it is doubted (RE7).
const leastDoubt = time.Second

var errSilent = errors.New("it is silent")

// note is tell. The caller holds mu.
func (k *keeper) note(state *mux.LinkState, failed error) {
	refusal := decided(failed)
	switch {
	case state == nil && k.loss == nil:
		return
	case state == nil:
		k.loss = nil
	case k.loss == nil:
		if refusal != nil {
			failed = errSilent
		}
		most := k.most
		if state.Up { // its successor is tried for as long as it is there
			most = max(most, state.Believed)
		}
		k.loss = &Loss{state.Heard, state.Heard.Add(most),
			cmp.Or(state.Cause, failed, errSilent), refusal}
		if !state.Up && !errors.Is(state.Cause, mux.ErrSilent) {
			k.loss.Since = time.Now()
		}
	case refusal == nil || kind(refusal) == kind(k.loss.Refusal):
		return
	default:
		again := *k.loss
		again.Refusal = refusal
		k.loss = &again
	}
	if k.watch != nil {
		k.watch(k.loss)
	}
}

// run returns when the session has ended.
func (k *keeper) run() {
	if k.network != nil {
		go k.network(k.session.Done(), func() {
			k.session.Probe()
			k.now()
		})
	}
	for {
		select {
		case <-k.session.Done():
			return
		case <-k.session.LinkChanges():
			k.restore()
		}
	}
}

// works says whether the session has a link that needs no other.
func (k *keeper) works() bool {
	state := k.session.LinkState()
	return state.Up && !state.Doubtful
}

// restore tries for a new link until there is one, the old one has recovered, or the session has
// ended.
func (k *keeper) restore() {
	if time.Since(k.joined) > usefulAfter {
		k.settle()
	}
	// a link is doubted after a second at the earliest, and a person is told after two
	defer time.AfterFunc(Quiet-leastDoubt, k.slow).Stop()
	var failed error // what the last attempt ended with
	var up time.Time // when the old link was there still
	for k.session.Err() == nil && !k.works() {
		if k.session.Traffic().Last.After(k.joined) {
			k.settle()
		}
		state := k.session.LinkState()
		k.mu.Lock()
		left, lost := time.Until(state.Heard.Add(k.most)), &mux.LinkLost{Within: k.hold,
			Tried: k.most}
		k.mu.Unlock()
		if state.Up {
			up = time.Now()
		} else if left <= 0 {
			if up.Sub(state.Heard) > k.most {
				lost.Tried = time.Since(state.Heard).Round(time.Second)
			}
			lost.Cause = cmp.Or(decided(failed), state.Cause, failed, errSilent)
			k.session.Abandon(lost)
			return
		}
		if !state.Up || failed != nil {
			k.tell(&state, failed)
		}
		if !k.pause() {
			continue // it is not needed any more
		}
		failed = k.attempt(left)
		if k.tries++; failed != nil {
			k.debug("no new link yet: %v", report.Plain(failed))
		} else {
			k.joined, k.settled = time.Now(), false
		}
		if refused(failed) {
			k.tries = quickTries // what was decided will not change soon
		}
	}
	if k.session.Err() == nil {
		k.tell(nil, nil)
	}
}

// refused says whether somebody judged an attempt, and should not be asked every second: the
// daemon, which may punish too many of that kind, or the person whom an agent asks (ssh-add -c).
func refused(err error) bool {
	if _, ok := errors.AsType[*unsigned](err); ok {
		return true
	}
	said, ok := errors.AsType[*protocol.RemoteError](err)
	return ok && said.Code != protocol.CodeStaleEpoch && said.Code != protocol.CodeShuttingDown
}

// decided is the error of an attempt if somebody decided so, and the user can do something about
// it; else nil.
func decided(failed error) error {
	if kind(failed) == "" {
		return nil
	}
	return failed
}

// kind is equal for refusals that a user need not be told of twice; "" for other errors.
func kind(failed error) string {
	if said, ok := errors.AsType[*protocol.RemoteError](failed); ok {
		return string(said.Code)
	}
	_, ours := errors.AsType[*unsigned](failed)
	switch {
	case ours:
		return "not signed"
	case errors.Is(failed, errOtherHost):
		return "other host"
	}
	return ""
}

// settle notes that the newest link was of use: when it is lost, the first attempt comes at once. A
// daemon that lets us in and closes is asked at growing intervals.
func (k *keeper) settle() {
	if !k.settled {
		k.settled, k.tries = true, 0
	}
}

// usefulAfter is how long a link must last to have been of use, if it carries nothing.
const usefulAfter = time.Second
