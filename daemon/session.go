package daemon

import (
	"log/slog"
	"sync"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/control"
	"minissh/daemon/logbook"
	"minissh/daemon/service"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// newSession makes a client's session, if there is room for it.
func (s *Server) newSession(who *access.Client) (*mux.Session, error) {
	share, err := s.guard.EnterSession(who)
	if err != nil {
		return nil, err
	}
	visit := s.desk.NewVisit(who)
	config := mux.Config{
		Role: mux.Daemon, Channels: s.opts.MaxChannels, Budget: share.Windows(), Label: visit,
		Accept: func(ch *mux.Channel) { s.serve(ch, who, share, visit) }, Gone: share.LeaveSession,
	}
	if s.opts.Hold > 0 {
		config.Resend, config.Hold, config.Killed = resendMost, s.opts.Hold, s.opts.killed
	}
	return mux.New(config), nil
}

// resendMost is what may be under way to a client at most, in bytes (RE2). A session keeps no more
// than it has sent.
const resendMost = 64 << 20

// serve answers a channel that an authorized client opened.
func (s *Server) serve(ch *mux.Channel, who *access.Client, share *access.Share,
	visit *control.Visit) {
	s.commands.Add(1)
	defer s.commands.Done()
	open := ch.Request()
	found, reason := service.Find(open.Service, who.Grant)
	if reason == nil && s.isStopping() {
		reason = stoppingReason()
	}
	var leave func()
	if reason == nil {
		leave, reason = share.EnterCommand()
	}
	if reason == nil {
		defer leave()
		defer visit.Begins(open.Service, service.Words(open, who.Grant))()
		reason = found.Serve(&s.host, ch, who)
	}
	if reason != nil {
		s.tally.Refused(slog.LevelInfo, "Request refused", who.User, who.User, "Request refused",
			"user", who.User, "from", logbook.Address(who.Addr), "code", string(reason.Code),
			"message", reason.Message)
		ch.Close(reason)
	}
}

func (s *Server) isStopping() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

const stoppingWords = "minisshd is being stopped"

// stoppingReason is what every client is told at the end.
func stoppingReason() *protocol.Reason {
	return &protocol.Reason{Code: protocol.CodeShuttingDown, Message: stoppingWords}
}

// announceStop tells every client at once that the daemon is being stopped (SE11): a notice on each
// channel says how much time is left; a session without channels has nothing to wait for, and ends.
// closing are those ends.
func (s *Server) announceStop(closing *sync.WaitGroup) {
	notice := &protocol.Notice{Notice: protocol.NoticeShuttingDown,
		Grace: s.opts.ShutdownGrace.Milliseconds()}
	for _, entry := range s.sessions.Entries() {
		if entry.Session.Announce(notice) == 0 {
			closing.Go(func() { entry.Session.Close(stoppingReason()) })
		}
	}
}

// expireIdle ends a session by GOODBYE when no session frame has come or gone for as long as most.
// Signs of life do not count, and neither does a command that says nothing. stop ends the watch.
func expireIdle(session *mux.Session, who *access.Client, most time.Duration,
	log *slog.Logger) (stop func()) {
	if most <= 0 {
		return func() {}
	}
	w := &idleWatch{began: time.Now()}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(most, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.stopped {
			return
		}
		idle := time.Since(w.began)
		if last := session.Traffic().Last; last.After(w.began) {
			idle = time.Since(last)
		}
		if idle < most {
			w.timer.Reset(most - idle)
			return
		}
		log.Info("Session ended for "+logbook.Name(who.User)+" "+logbook.From(who.Addr)+": idle",
			"idle", idle.Round(time.Second).String())
		session.Close(&protocol.Reason{Code: protocol.CodeIdleTimeout,
			Message: "nothing was sent either way for " + most.String()})
	})
	return func() {
		w.timer.Stop()
		w.mu.Lock()
		defer w.mu.Unlock()
		w.stopped = true
	}
}

// idleWatch is the watch over one session's link.
type idleWatch struct {
	began time.Time

	mu      sync.Mutex // held while the timer's function runs; guards the rest
	timer   *time.Timer
	stopped bool // the link is gone
}
