package mux

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"minissh/protocol"
)

// Role is the end of a session that this process is.
type Role uint8

// The two ends. Clients number their channels odd, daemons even (CH1).
const (
	Client Role = iota
	Daemon
)

// Direction of a frame, as a Trace sees it.
type Direction uint8

// The two directions.
const (
	Sent Direction = iota
	Received
)

// Config is fixed when a Session is made. The zero value of every field but Role is usable.
type Config struct {
	Role Role
	// Accept serves a channel that the peer opened, in a goroutine of its own, and ends it with
	// Channel.Close. Nil: the peer may not open any.
	Accept func(*Channel)
	// Channels is how many channels the peer may have open at once; a daemon's client at least 16
	// (CH2).
	Channels int
	// Resend is the bytes of unacknowledged frames kept for a next link, 0 or at least
	// protocol.MinResend (RE2). 0: a lost link ends the session.
	Resend int64
	// Hold is how long a daemon's session lives without a link (RE4), and the most that a client
	// may ask for.
	Hold time.Duration
	// PingAfter and Patience are an end's own times for SE6: after how much silence it sends
	// PING, and how long it believes in a silent link. 0: 15 and 45 seconds.
	PingAfter, Patience time.Duration
	// LinkMost is the most that one link may carry each way, in bytes. 0: 256 GiB (SE8).
	LinkMost int64
	// Killed is how long it lives if its client seems to have been killed; 0: 10 seconds (RE4).
	Killed time.Duration
	// Budget bounds how far windows may grow over many sessions. Nil: each session has one of its
	// own.
	Budget *Budget
	// Kept bounds over many sessions what is kept for a next link beyond protocol.MinResend: a peer
	// that reads and never acknowledges makes us keep all that Resend allows. Nil: nothing does.
	Kept *Budget
	// Gone, if not nil, is called when a session of a Registry has ended and its Accept goroutines
	// have returned. The Registry holds its lock meanwhile, and frees the session's place in the
	// same step.
	Gone func()
	// Waits, if not nil, is called when a daemon's session has lost its link and waits for the next
	// one, and Comes when that is over: because of a link, or of Spare, if ended is nil. Both are
	// called with the session's lock held, so they call no method of it.
	Waits func(*Waiting)
	Comes func(ended error)
	// Sharer is the user whose share counts what a Registry remembers of the session after its end.
	Sharer string
	// Label is the application's own, to find its notes about a session again.
	Label any
	// Trace sees every frame as it passes, from the goroutines that read and write: sent frames in
	// order, received frames in order.
	Trace func(Direction, protocol.Frame)
	// Crashed, if not nil, is called when one of the session's goroutines panics, before the
	// program ends: to restore a terminal, say.
	Crashed func()
}

// crashing is deferred where code of the session's may panic.
func (s *Session) crashing() {
	if s.cfg.Crashed == nil {
		return
	}
	if r := recover(); r != nil {
		s.cfg.Crashed()
		panic(r)
	}
}

// LinkLost is the end of a session whose link broke and that cannot or may not resume.
type LinkLost struct {
	Cause error
	// Within is how long the other end may go on at most as if nothing had happened, if it noticed
	// nothing (RE6).
	Within time.Duration
	// Tried is for how long others were tried for; 0: the session could not have them. Then Within
	// is how long the other end keeps the session.
	Tried time.Duration
}

func (e *LinkLost) Error() string { return fmt.Sprintf("the connection was lost: %v", e.Cause) }
func (e *LinkLost) Unwrap() error { return e.Cause }

// Reasons for which a Session or Channel ends without anyone's fault.
var (
	ErrGoodbye = errors.New("the session has ended")
	ErrExpired = errors.New("the session was kept for a time, and nobody came back")
	// ErrRestarted: the daemon knows nothing of the session that it had (RE5).
	ErrRestarted = errors.New("the daemon was restarted, and has forgotten the session")
	ErrSilent    = errors.New("nothing was heard for 45 seconds")
	// ErrSpared: a session's client has come, and was refused for a reason that may pass.
	ErrSpared   = errors.New("its client lives, but may not log in now")
	errReplaced = errors.New("a newer link took its place")
	errWorn     = errors.New("256 GiB were sent over one connection, the most for one TLS key")
)

// Session is one end of a session.
type Session struct {
	cfg  Config
	id   string        // 64 hex digits, a secret
	done chan struct{} // closed when the session has ended

	onEnd func() // set by the Registry before the session is used; called once, holding mu

	apps sync.WaitGroup // the Accept goroutines

	yield bool // the goroutine that reads the link lets another go first; only it uses this

	in, out atomic.Int64 // bytes of frames, all links
	loud    atomic.Int32 // streams that hold a large buffer
	active  atomic.Int64 // when a session frame last came or went, UnixNano; 0: never

	mu   sync.Mutex // guards everything below, and all of each Channel
	work sync.Cond  // the writer waits here
	// whoever wants to open one more channel than the peer allows waits here
	places sync.Cond

	changes chan struct{} // of the link's state, for LinkChanges

	channels     map[uint32]*Channel
	nextID       uint32 // of the next channel that we open
	lastPeerID   uint32 // of the last channel that the peer opened
	peerOpen     int    // channels the peer has open
	ourOpen      int    // channels we have open
	peerChannels int    // channels we may have open
	peerOpens    int64  // bytes of the OPENs of the channels that the peer has open (CH2)
	ourOpens     int64  // and of ours
	// encoded session frames other than data, in order, not yet numbered
	control queue[outgoing]
	ready   queue[*Channel] // channels with data and credit, in turn
	grants  queue[*Channel] // channels whose peer must learn a new limit

	budget *Budget
	grown  int64 // bytes of window beyond the initial ones, all channels

	sent, received uint64      // session frames (SE4)
	acked          uint64      // of sent, what the peer has told us it has
	kept           queue[kept] // frames acked+1 … sent, if cfg.Resend > 0
	keptBytes      int64
	keptRoom       int64 // of cfg.Resend, what may be used now; beyond MinResend it is cfg.Kept's
	peerResend     int64 // the peer's; decides when we acknowledge
	unacked        int64 // bytes received since our last ACK

	link     *link
	lostBy   error     // why the last link was lost
	heard    time.Time // when the last byte came over it
	began    time.Time // client: when the first HELLO was sent
	epoch    int64
	welcomed bool // client: a WELCOME came; daemon: always
	// client: how many came
	greetings int
	welcome   protocol.Welcome
	hold      time.Duration // granted
	expiry    *time.Timer   // runs while waiting is not nil
	waiting   *Waiting      // a daemon's session without a link; nil while one displaces another
	ended     error
	parting   string // the words of our GOODBYE
}

// New makes a session without a link. A client's session has a new random name.
func New(cfg Config) *Session {
	if cfg.Role == Daemon {
		cfg.Channels = max(cfg.Channels, protocol.MinChannels)
	}
	if cfg.Resend > 0 {
		cfg.Resend = max(cfg.Resend, protocol.MinResend)
	}
	s := &Session{
		cfg: cfg, done: make(chan struct{}), channels: map[uint32]*Channel{},
		peerChannels: protocol.MinChannels, budget: cfg.Budget,
		changes: make(chan struct{}, 1),
	}
	s.places.L = &s.mu
	s.work.L, s.keptRoom = &s.mu, min(cfg.Resend, protocol.MinResend)
	if s.budget == nil {
		s.budget = NewBudget(protocol.MaxWindow)
	}
	s.nextID = 1
	if cfg.Role == Daemon {
		s.nextID, s.peerChannels, s.welcomed = 2, 0, true
	} else {
		var name [32]byte
		rand.Read(name[:]) // never fails: crypto/rand ends the program instead
		s.id = hex.EncodeToString(name[:])
	}
	return s
}

// Done is closed when the session has ended; Err then says why.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err is nil while the session lives, then ErrGoodbye, ErrExpired, *LinkLost, *protocol.Violation
// (we said) or *protocol.RemoteError (they said).
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// Wait returns when the session has ended and every Accept goroutine has returned.
func (s *Session) Wait() {
	<-s.done
	s.apps.Wait()
}

// end is the one place where a session ends. The caller holds mu. link.finish sends what the peer
// still has to be told.
func (s *Session) end(why error) {
	if s.ended != nil {
		return
	}
	s.ended = why
	s.waited(why)
	for _, c := range s.channels {
		s.returnWindow(c)
		c.fail()
	}
	s.control, s.ready, s.grants = queue[outgoing]{}, queue[*Channel]{}, queue[*Channel]{}
	s.kept, s.keptBytes = queue[kept]{}, 0
	s.returnRoom()
	if l := s.link; l != nil {
		l.resendTo = 0 // its writer may not have noticed yet
	}
	if s.onEnd != nil {
		s.onEnd() // first: whoever has seen Done finds the session ended in the Registry too
	}
	close(s.done)
	s.work.Broadcast()
	s.places.Broadcast()
}

// Close says GOODBYE with a reason (nil: all went well), waits until that is on its way (two
// seconds at most), and closes the link. If the peer may still be sending, it first reads on for up
// to a second (FR7), so that a reset does not destroy GOODBYE: a daemon always, a client only while
// it has channels, since otherwise it is in a hurry. It is idempotent.
func (s *Session) Close(reason *protocol.Reason) {
	if reason == nil {
		reason = &protocol.Reason{}
	}
	s.mu.Lock()
	if s.ended == nil {
		s.parting = reason.Message
	}
	l, said := s.link, s.sayGoodbye(reason)
	polite := s.cfg.Role == Daemon || len(s.channels) > 0
	s.end(ErrGoodbye)
	s.mu.Unlock()
	if l == nil {
		return
	}
	l.note(ErrGoodbye)
	if said && !polite {
		// so that whoever reads or writes the link ends, which a client in a hurry does not wait
		// for
		l.close(ErrGoodbye)
		return
	}
	if l.waitFinished(closeWait) && polite {
		l.endSending()
	} else {
		l.close(ErrGoodbye)
	}
	<-l.done
}

// Leave is Close for a client whose process ends with its session: once the kernel has GOODBYE, it
// waits for nothing and frees nothing, which the kernel does anyway, and sooner.
func (s *Session) Leave() {
	s.mu.Lock()
	said := s.sayGoodbye(&protocol.Reason{})
	if said {
		s.end(ErrGoodbye)
	}
	s.mu.Unlock()
	if !said {
		s.Close(nil)
	}
}

// sayGoodbye queues GOODBYE as the last thing to send, and says whether it is on its way already.
// The caller holds mu.
func (s *Session) sayGoodbye(reason *protocol.Reason) bool {
	l := s.link
	if l == nil || s.ended != nil {
		return false
	}
	goodbye, err := protocol.AppendMessage(nil, protocol.TypeGoodbye, 0, reason)
	if err != nil { // a reason longer than a frame: say goodbye without it
		goodbye = protocol.AppendFrame(nil, protocol.TypeGoodbye, 0, 0, []byte("{}"))
	}
	l.finish(append(s.takeControl(l), goodbye...))
	return s.inline() && l.broken == nil
}
