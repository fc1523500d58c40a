package dial

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/client/atexit"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// How long a client asks a daemon to keep its session without a link, unless ResumeFor says
// otherwise: what runs on a terminal, and the rest.
const (
	holdTerminal = 24 * time.Hour
	holdRest     = 10 * time.Minute
)

// mostKept is how much is kept at most for sending it again, in bytes; it is allocated as needed.
const mostKept = 64 << 20

// hold is how long we ask the daemon to keep the session without a link; 0: not at all.
func (d *Dialer) hold() time.Duration {
	switch {
	case d.Conn != nil: // there is no way to make another connection
		return 0
	case d.Options.ResumeFor != options.ResumeDefault:
		return d.Options.ResumeFor
	case d.OnTerminal:
		return holdTerminal
	}
	return holdRest
}

// config is what a session of ours has.
func (d *Dialer) config() mux.Config {
	config := mux.Config{Role: mux.Client, Trace: d.Trace, Crashed: atexit.Run}
	if d.hold() > 0 {
		config.Resend = mostKept
	}
	if every := d.Options.ServerAliveInterval; every > 0 {
		config.Patience = every * time.Duration(max(d.Options.ServerAliveCountMax, 1))
		config.PingAfter = min(every, config.Patience/2)
	}
	return config
}

// Loss is a link that was lost, or is in doubt and cannot be replaced at once.
type Loss struct {
	Since time.Time // when the daemon was last heard
	Until time.Time // until when a new link is tried for
	Cause error     // why it was lost, or why the first attempt to replace it failed
}

// keeper keeps a session on a link: it replaces one that is lost, in doubt, or has carried enough
// (RE3, RE7, SE8), until the session has ended or is given up.
type keeper struct {
	session *mux.Session
	// connects as far as the end of TLS's handshake; TCP alone has its own limit
	connect func(ctx context.Context, tcp time.Duration) (*transport.Conn, error)
	hello   protocol.Hello
	limit   time.Duration // ConnectTimeout, for each attempt; 0: none
	debug   func(format string, args ...any)
	hurry   chan struct{} // something has changed: try now

	mu    sync.Mutex    // guards the rest
	most  time.Duration // how long after the daemon was last heard a new link is tried for
	watch func(*Loss)
	loss  *Loss // what watch was told last; nil: the link is there
}

// Watch calls f for each link that is lost, and with nil when there is a new one; at once, if there
// is none now. It takes the place of whoever watched before.
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

// tell passes on that the link is lost, or back (nil).
func (k *keeper) tell(state *mux.LinkState, cause error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if (k.loss == nil) == (state == nil) {
		return
	}
	k.loss = nil
	if state != nil {
		k.loss = &Loss{state.Heard, state.Heard.Add(k.most), cause}
	}
	if k.watch != nil {
		k.watch(k.loss)
	}
}

// run returns when the session has ended.
func (k *keeper) run() {
	go watchNetwork(k.session.Done(), func() {
		k.session.Probe()
		k.now()
	})
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
	var failed error // what the last attempt ended with
	for attempt := 0; k.session.Err() == nil && !k.works(); attempt++ {
		state := k.session.LinkState()
		if !state.Up || failed != nil {
			k.tell(&state, cmp.Or(state.Cause, failed))
		}
		left := time.Until(state.Heard.Add(k.most))
		if left <= 0 && !state.Up {
			k.session.Abandon(&mux.LinkLost{Cause: cmp.Or(state.Cause, failed), Within: k.most})
			return
		}
		if !k.pause(attempt) {
			continue // it is not needed any more
		}
		if failed = k.attempt(attempt, left); failed != nil {
			k.debug("no new link yet: %v", report.Plain(failed))
		}
		if refused(failed) {
			attempt = quickTries // what the daemon has decided will not change soon
		}
	}
	if k.session.Err() == nil {
		k.tell(nil, nil)
	}
}

// refused says whether the daemon judged an attempt, and may punish too many of that kind.
func refused(err error) bool {
	said, ok := errors.AsType[*protocol.RemoteError](err)
	return ok && said.Code != protocol.CodeStaleEpoch && said.Code != protocol.CodeShuttingDown
}

// Waits between attempts. The first comes at once; the next ones at growing intervals, which are a
// second at most for the first minutes, so that typing goes on within a second of the network's
// return.
const (
	firstWait  = 100 * time.Millisecond
	quickWait  = 800 * time.Millisecond
	quickTries = 300
	slowWait   = 15 * time.Second
)

// pause waits before an attempt, 0 being the first. False: no attempt is needed any more.
func (k *keeper) pause(attempt int) bool {
	var wait time.Duration
	switch {
	case attempt >= quickTries:
		wait = slowWait
	case attempt > 0:
		wait = min(firstWait<<min(attempt-1, 10), quickWait)
	}
	timer := time.NewTimer(wait + rand.N(wait/4+1))
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
			return true
		case <-timer.C:
			return true
		}
	}
}

// attempt makes one connection, beside the link that may still be there, and puts the session on it
// unless that link has recovered meanwhile. It takes no longer than left. TCP asks at longer and
// longer intervals whether there is an answer, so a new attempt soon takes the place of one whose
// packets were lost; later attempts have more time, for a slow way.
func (k *keeper) attempt(n int, left time.Duration) error {
	longer := min(n/8, 4)
	most := min(5*time.Second<<longer, max(left, time.Second))
	if k.limit > 0 {
		most = min(most, k.limit)
	}
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	var watching sync.WaitGroup
	defer watching.Wait()
	over := make(chan struct{})
	defer close(over)
	watching.Go(func() {
		for {
			select {
			case <-over:
				return
			case <-k.session.Done():
				cancel()
				return
			case <-k.session.LinkChanges():
				if k.works() { // the old link wins, or the new one is there
					cancel()
					return
				}
			}
		}
	})
	conn, err := k.connect(ctx, time.Second<<longer)
	if err != nil {
		return err
	}
	if k.works() {
		conn.Close()
		return nil
	}
	stop := time.AfterFunc(most, func() { conn.Close() })
	defer stop.Stop()
	hello := k.hello
	_, err = k.session.Connect(conn, &hello)
	if said, ok := errors.AsType[*protocol.RemoteError](err); ok &&
		said.Code == protocol.CodeSessionUnknown {
		k.session.Abandon(mux.ErrRestarted)
	}
	return err
}

// reconnect connects once more as far as TLS, with the same key of ours, to the host whose key is
// known by now. The host's name is looked up again, and all its addresses are tried at once.
func (l *login) reconnect(envelope tls.Certificate, host ssh.PublicKey) func(context.Context,
	time.Duration) (*transport.Conn, error) {
	return func(ctx context.Context, tcp time.Duration) (*transport.Conn, error) {
		quick, cancel := context.WithTimeout(ctx, tcp)
		defer cancel()
		raw, err := l.way.dialAny(quick)
		if err != nil {
			return nil, err
		}
		return l.secureOn(ctx, raw, envelope, func(key ssh.PublicKey, _ net.Addr) error {
			if !bytes.Equal(key.Marshal(), host.Marshal()) {
				return report.Failed(nil, "", "%s shows another host key than before",
					l.Options.Alias)
			}
			return nil
		})
	}
}

// dialAny connects to whichever of the host's addresses answers first.
func (n *network) dialAny(ctx context.Context) (net.Conn, error) {
	dial := n.dialContext
	family := n.family()
	if dial == nil {
		dialer, err := n.localEnd(ctx, family)
		if err != nil {
			return nil, err
		}
		dial = dialer.DialContext
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip"+family[len("tcp"):], n.HostName)
	if err != nil {
		return nil, err
	}
	found = found[:min(len(found), mostAddresses)]
	type result struct {
		conn net.Conn
		err  error
	}
	results := make(chan result)
	ctx, cancel := context.WithCancel(ctx)
	for _, address := range found {
		go func() {
			conn, err := dial(ctx, family, netip.AddrPortFrom(address, uint16(n.Port)).String())
			results <- result{conn, err}
		}()
	}
	err = errors.New("the host has no address")
	for left := len(found); left > 0; left-- {
		r := <-results
		if err = r.err; err != nil {
			continue
		}
		cancel() // of the others
		go func() {
			for range left - 1 {
				if other := <-results; other.err == nil {
					other.conn.Close()
				}
			}
		}()
		return r.conn, nil
	}
	cancel()
	return nil, err
}

// mostAddresses is how many of a host's addresses are tried at once.
const mostAddresses = 8
