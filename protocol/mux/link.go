package mux

import (
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"minissh/protocol"
)

// Times of SE6, RE7, RE6, FR7 and RE1, and the bytes of SE8.
const (
	pingAfter   = 15 * time.Second
	askAfter    = 5 * time.Second // RE7: once, after session frames
	deadAfter   = 45 * time.Second
	untoldMost  = 15 * time.Minute // RE6: a client whose system acknowledges
	stoppedMost = 24 * time.Hour   // the same, after it has said that it is being stopped
	tellWait    = 200 * time.Millisecond
	writeStall  = 30 * time.Second
	lingerTime  = time.Second
	lingerMost  = 1 << 20 // bytes
	closeWait   = 2 * time.Second
	ackDelay    = 20 * time.Millisecond
	linkMost    = 256 << 30 // bytes
	ackMost     = 512 << 10 // bytes received before an ACK, whatever the peer keeps
)

// link is one connection under a session, with its reading and its writing goroutine.
type link struct {
	s        *Session
	conn     Conn
	heard    atomic.Int64  // when the last byte came, UnixNano
	brought  bool          // the last Read brought something; the reading goroutine's
	counted  bool          // it held a session frame; the reading goroutine's
	answered bool          // the peer's system acknowledged shortly before the end; likewise
	finished chan struct{} // the writer has ended
	done     chan struct{} // both have ended, and the session has noted it
	closing  sync.Once
	timer    *time.Timer
	patient  bool                   // writes need no deadline of ours
	told     atomic.Bool            // daemon: the client's last PING said SUSPENDED
	replies  chan *protocol.Welcome // client: the answer to HELLO
	doubtful atomic.Bool            // client: silent although something is due (RE7)
	carried  atomic.Int64           // bytes, both ways
	worn     atomic.Bool            // carried is nearly the most for one link (SE8)

	// Session.mu guards the rest.
	first                []byte // HELLO or WELCOME, still to be sent
	flowing              bool   // session frames may be sent
	greeted              bool   // client: WELCOME came
	resendNext, resendTo uint64 // numbers of kept frames to be sent again
	pongDue, pingDue     bool
	ackDue, ackTimed     bool
	pongNumber           uint64
	stopped, stopNoted   bool   // client: PINGs say SUSPENDED; the daemon may still think so
	goesOn               uint64 // client: number of the first PING after that without SUSPENDED
	final                []byte // the last thing to send
	stop                 bool
	writing              bool  // somebody is in step
	written              int64 // bytes
	pinged               bool  // a PONG is due
	expecting            bool  // doubts runs
	doubts               *time.Timer
	since                time.Time     // when expecting began
	trip                 time.Duration // from HELLO to WELCOME, or from PING to PONG
	helloed              time.Time     // when HELLO was sent
	again                time.Time     // when keepAlive is next called
	asked                int64         // client: s.active at the last PING of RE7
	broken               error         // why the writer gave up
	cause                error         // why the link ended, the first reason
}

func (s *Session) newLink(conn Conn) *link {
	l := &link{s: s, conn: conn, finished: make(chan struct{}), done: make(chan struct{}),
		replies: make(chan *protocol.Welcome, 1)}
	l.heard.Store(time.Now().UnixNano())
	l.patient = l.setPatience(writeStall, l.suspended)
	return l
}

// Connect puts a client's session on a connection: it sends HELLO (and on the first one, at once,
// whatever is queued, SE3), and waits for the answer. It fills in hello's protocol, session, epoch,
// create, received and resend.
//
// Errors: *protocol.RemoteError if the daemon refuses (SE2), *protocol.Violation, or the
// connection's own. A session without Resend has ended then.
func (s *Session) Connect(conn Conn, hello *protocol.Hello) (*protocol.Welcome, error) {
	if err := s.detach(nil); err != nil {
		conn.Close()
		return nil, err
	}
	s.mu.Lock()
	if s.epoch++; s.epoch == 1 {
		s.began = time.Now()
	}
	hello.Protocol, hello.Session, hello.Epoch = protocol.ALPN, s.id, s.epoch
	hello.Create, hello.Received, hello.Resend, hello.Channels = !s.welcomed, int64(s.received),
		s.cfg.Resend, s.cfg.Channels
	first, err := protocol.AppendMessage(nil, protocol.TypeHello, 0, hello)
	switch {
	case err != nil:
	case s.ended != nil:
		err = s.ended
	case s.link != nil:
		err = errors.New("another Connect is under way")
	}
	if err != nil {
		s.mu.Unlock()
		conn.Close()
		return nil, err
	}
	l := s.newLink(conn)
	l.first, l.flowing = first, s.epoch == 1
	s.start(l)
	s.inline() // a cold command waits only for this
	s.mu.Unlock()
	go l.readLoop(nil)
	select {
	case welcome := <-l.replies:
		return welcome, nil
	case <-l.done:
	}
	select {
	case welcome := <-l.replies: // it came before the end, which the session reports
		return welcome, nil
	default:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return nil, l.cause
}

// Accept puts a daemon's session on a connection whose HELLO has been read, checked and authorized.
// It fills in welcome's received, resend, hold and channels, serves the link in the calling
// goroutine, and returns why the link ended; nil after GOODBYE.
//
// A *protocol.Violation with stale_epoch, session_expired or session_ended means that nothing was
// sent and the connection still belongs to the caller.
func (s *Session) Accept(conn Conn, hello *protocol.Hello, welcome *protocol.Welcome) error {
	if err := s.detach(hello); err != nil {
		return err
	}
	s.mu.Lock()
	if s.ended != nil {
		defer s.mu.Unlock()
		return s.over()
	}
	if s.epoch != hello.Epoch {
		defer s.mu.Unlock()
		return protocol.Violate(protocol.CodeStaleEpoch, "this session has a newer link")
	}
	l := s.newLink(conn)
	s.peerChannels = hello.Channels
	s.hold = min(s.cfg.Hold,
		time.Duration(min(hello.Hold, int64(s.cfg.Hold/time.Second)))*time.Second)
	welcome.Received, welcome.Resend, welcome.Hold, welcome.Channels = int64(s.received),
		s.cfg.Resend, int64(s.hold/time.Second), s.cfg.Channels
	first, err := protocol.AppendMessage(nil, protocol.TypeWelcome, 0, welcome)
	if err == nil {
		err = s.peerHas(l, uint64(hello.Received))
	} else {
		err = protocol.Violate(protocol.CodeInternal, "%v", err)
	}
	if err != nil {
		s.end(err)
	} else {
		l.first, l.flowing = first, true
	}
	s.start(l)
	if err == nil {
		if conn, ok := conn.(Noticing); ok {
			conn.BecomesLink()
		}
	}
	s.mu.Unlock()
	l.readLoop(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(l.cause, ErrGoodbye) {
		return nil
	}
	return l.cause
}

// detach takes the session's link away and waits until nothing of it is left (RE3). With a hello it
// first claims the hello's epoch. A hello that cannot have the session leaves it and its link as
// they are (CO1).
func (s *Session) detach(hello *protocol.Hello) error {
	s.mu.Lock()
	if s.ended != nil {
		defer s.mu.Unlock()
		if hello != nil {
			return s.over()
		}
		return s.ended
	}
	if hello != nil {
		if hello.Epoch <= s.epoch {
			defer s.mu.Unlock()
			return protocol.Violate(protocol.CodeStaleEpoch, "epoch %d is not above %d",
				hello.Epoch, s.epoch)
		}
		if s.epoch > 0 && !s.resumable() {
			defer s.mu.Unlock()
			return protocol.Violate(protocol.CodeSessionExpired,
				"no other connection can take up this session: one end of it said resend 0")
		}
		s.epoch, s.peerResend = hello.Epoch, hello.Resend
	}
	old := s.link
	s.mu.Unlock()
	if old != nil {
		old.close(errReplaced)
		<-old.done
	}
	return nil
}

// start makes l the session's link and starts its writer. The caller holds mu and then runs
// readLoop.
func (s *Session) start(l *link) {
	s.link = l
	s.waited(nil)
	s.unacked = 0
	l.helloed = time.Now()
	_, wait := l.ask()
	l.again = l.helloed.Add(wait)
	l.timer = time.AfterFunc(wait, l.keepAlive)
	s.changed()
	go l.writeLoop()
}

// close ends the link from our side; the goroutines notice.
func (l *link) close(why error) {
	l.note(why)
	l.closing.Do(func() {
		if conn, ok := l.conn.(Breaking); ok && errors.Is(why, errReplaced) {
			conn.Break()
			return
		}
		l.conn.Close()
	})
}

// note keeps the first reason for the link's end.
func (l *link) note(why error) {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.cause == nil {
		l.cause = why
	}
}

// noteEnd is note for the reader's error. If the reader only waited for the reason of a failed
// write (FR8) and found none, the failed write is the reason.
func (l *link) noteEnd(err error) {
	l.s.mu.Lock()
	if l.broken != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		err = l.broken
	}
	l.s.mu.Unlock()
	l.note(err)
}

// finish makes the writer send a last thing and stop. The caller holds mu.
func (l *link) finish(final []byte) {
	if l.final == nil {
		l.final = final
	}
	l.s.work.Broadcast()
}

// waitFinished waits for the writer to end, for a bounded time, and says whether it did.
func (l *link) waitFinished(most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-l.finished:
		return true
	case <-timer.C:
		return false
	}
}

// endSending closes the sending side, and makes the reader end after lingerTime if the peer does
// not close first.
func (l *link) endSending() {
	closeWrite(l.conn)
	l.conn.SetReadDeadline(time.Now().Add(lingerTime))
}

func closeWrite(conn Conn) {
	if half, ok := conn.(HalfCloser); ok {
		half.CloseWrite()
	}
}

// readLoop reads until the link ends, then takes it down. It never writes and never waits for an
// application. err is what ends the link before the first frame, if anything does.
func (l *link) readLoop(err error) {
	defer l.s.crashing()
	if err == nil {
		err = l.readFrames()
	}
	l.noteEnd(err)
	l.answered = l.hasAnswered()
	var v *protocol.Violation
	if errors.As(err, &v) {
		l.complain(v)
	}
	l.closing.Do(func() { l.conn.Close() })
	s := l.s
	s.mu.Lock()
	l.stop = true // keepAlive does not set its timer again
	l.timer.Stop()
	if l.doubts != nil {
		l.doubts.Stop()
	}
	s.work.Broadcast()
	s.mu.Unlock()
	<-l.finished
	s.lost(l)
	close(l.done)
}

func (l *link) readFrames() error {
	reader := protocol.NewReader(l)
	for {
		f, err := reader.Next()
		if err != nil {
			return err
		}
		if l.s.cfg.Trace != nil {
			l.s.cfg.Trace(Received, f)
		}
		if err := l.s.receive(l, f); err != nil {
			return err
		}
		if l.s.yield {
			l.s.yield = false
			// whoever waited for a key goes first; reading on, and finding nothing, can wait
			runtime.Gosched()
		}
	}
}

// fewBytes is the most that a data frame holds which a person may have typed, or waits to see.
const fewBytes = 512

// complain tells the peer which rule it broke, and reads on for a while so that a reset does not
// destroy the message (FR7).
func (l *link) complain(v *protocol.Violation) {
	text, err := protocol.AppendMessage(nil, protocol.TypeError, 0, v.Reason())
	if err != nil {
		return
	}
	l.s.mu.Lock()
	l.s.end(v)
	l.finish(text)
	l.s.mu.Unlock()
	l.waitFinished(closeWait)
	Linger(l.conn)
}

// Linger closes the sending side of a connection and reads what still comes, for a second and a
// mebibyte at most: closing at once would reset the connection and could destroy what was just sent
// (FR7).
func Linger(conn Conn) {
	closeWrite(conn)
	conn.SetReadDeadline(time.Now().Add(lingerTime))
	io.CopyN(io.Discard, conn, lingerMost)
}

// resumable says whether a link of this session may be followed by another: both ends keep what the
// other may not have received (RE2). The caller holds mu.
func (s *Session) resumable() bool { return s.cfg.Resend > 0 && (s.peerResend > 0 || !s.welcomed) }
