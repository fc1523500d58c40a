package daemon

import (
	"log/slog"
	"sync"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/control"
	"minissh/daemon/logbook"
	"minissh/daemon/pam"
	"minissh/daemon/service"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// newSession makes a client's session, if there is room for it. PAM's, if not nil, is closed at its
// end.
func (s *Server) newSession(who *access.Client, terms *access.Terms,
	opened *pam.Session) (*mux.Session, error) {
	place, err := s.guard.EnterSession(who, terms.Most)
	if err != nil {
		return nil, err
	}
	who.Share = place.Share
	descends(who, opened)
	visit := s.desk.NewVisit(who)
	who.Session = visit.Number()
	config := mux.Config{
		Role: mux.Daemon, Channels: terms.MaxChannels, Budget: place.Windows(), Label: visit,
		Sharer: place.User(),
		Accept: func(ch *mux.Channel) { s.serve(ch, who, visit) },
	}
	config.PingAfter, config.Patience = alive(terms)
	var session *mux.Session
	if terms.Hold > 0 {
		config.Resend, config.Hold, config.Killed = resendMost, terms.Hold, s.opts.killed
		w := &wait{s: s, place: place, visit: visit, user: who.User}
		config.Waits = func(waiting *mux.Waiting) { w.begins(session, waiting) }
		config.Comes = w.ends
		config.Kept = place.Kept()
	}
	stopWatch := func() {}
	config.Gone = func() {
		stopWatch()
		place.Leave()
		if opened != nil {
			opened.Close()
		}
	}
	session = mux.New(config)
	stopWatch = expireIdle(session, who, terms.IdleTimeout, s.log)
	if opened != nil {
		go s.awaitPAM(session, who, opened)
	}
	return session, nil
}

// awaitPAM ends a session when PAM's has ended: nothing could be started in it any more. That is
// what happens when an admin terminates it (loginctl).
func (s *Server) awaitPAM(session *mux.Session, who *access.Client, opened *pam.Session) {
	select {
	case <-session.Done():
		return
	case <-opened.Ended():
	}
	why := "the login session was ended on this machine"
	s.log.Info("Session ended for "+logbook.Name(who.User)+" "+logbook.From(who.Addr),
		"reason", why)
	session.Close(&protocol.Reason{Code: protocol.CodeEndedByAdmin, Message: why})
}

// resendMost is what may be under way to a client at most, in bytes (RE2). A session keeps no more
// than it has sent.
const resendMost = 64 << 20

// serve answers a channel that an authorized client opened.
func (s *Server) serve(ch *mux.Channel, who *access.Client, visit *control.Visit) {
	if !s.serves() {
		ch.Close(stoppingReason())
		return
	}
	defer s.commands.Done()
	open := ch.Request()
	who = visit.Client(who)
	terms, err := s.terms(who)
	if err != nil {
		s.log.Warn("Request refused: "+err.Error(), "user", who.User)
		ch.Close(&protocol.Reason{Code: protocol.CodeServiceRefused,
			Message: "nobody can tell for now which settings hold for you"})
		return
	}
	who = who.Under(terms)
	found, reason := service.Find(open.Service, who.Grant)
	if reason == nil {
		reason = service.Changes(open, who)
	}
	if reason == nil && s.isStopping() {
		reason = stoppingReason()
	}
	var leave func()
	if reason == nil {
		leave, reason = who.Share.EnterCommand(who, terms.Most)
	}
	if leave != nil {
		defer leave()
		reason = s.host.Audited(who, ch.ID(), open)
	}
	if reason == nil && leave != nil {
		defer visit.Begins(open.Service, service.Words(open, who.Grant))()
		reason = found.Serve(&s.host, ch, who)
	}
	if reason != nil {
		s.host.Audit.Note("request refused", who.Audited(true), "service",
			logbook.Shorten(open.Service, 64), "code",
			string(reason.Code), "message", reason.Message)
		s.tally.Refused(slog.LevelInfo, "Request refused", who.User, who.User, "Request refused",
			"user", who.User, "from", logbook.Address(who.Addr), "code", string(reason.Code),
			"message", reason.Message)
		ch.Close(reason)
	}
}

// serves counts one more channel that is being served, unless Shutdown may be waiting for the last
// one already. commands.Done ends it.
func (s *Server) serves() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.commands.Add(1)
	}
	return !s.stopped
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
// channel says how much time is left; a session without channels has nothing to wait for, and ends,
// and so does one without a link, since nobody can come back to it. closing are those ends.
func (s *Server) announceStop(closing *sync.WaitGroup) {
	notice := &protocol.Notice{Notice: protocol.NoticeShuttingDown,
		Grace: s.opts.ShutdownGrace.Milliseconds()}
	for _, entry := range s.sessions.Entries() {
		if entry.Session.Announce(notice) == 0 || entry.Session.Traffic().Waiting != nil {
			closing.Go(func() { entry.Session.Close(stoppingReason()) })
		}
	}
}

// expireIdle ends a session by GOODBYE when no session frame has come or gone for as long as most.
// Signs of life do not count, and neither does a command that says nothing, nor whether there is a
// link (SE9). stop, which does not wait, ends the watch.
func expireIdle(session *mux.Session, who *access.Client, most time.Duration,
	log *slog.Logger) (stop func()) {
	if most <= 0 {
		return func() {}
	}
	w := &idleWatch{session: session, who: who, most: most, log: log, began: time.Now()}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(most, w.look)
	return func() { w.timer.Stop() }
}

// idleWatch is the watch over one session.
type idleWatch struct {
	session *mux.Session
	who     *access.Client
	most    time.Duration
	log     *slog.Logger
	began   time.Time

	mu    sync.Mutex // held while timer is set
	timer *time.Timer
}

func (w *idleWatch) look() {
	traffic := w.session.Traffic()
	if traffic.Ended {
		return
	}
	idle := time.Since(w.began)
	if traffic.Last.After(w.began) {
		idle = time.Since(traffic.Last)
	}
	if idle < w.most {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.timer.Reset(w.most - idle)
		return
	}
	w.log.Info("Session ended for "+logbook.Name(w.who.User)+" "+logbook.From(w.who.Addr)+": idle",
		"idle", idle.Round(time.Second).String())
	w.session.Close(&protocol.Reason{Code: protocol.CodeIdleTimeout,
		Message: "nothing was sent either way for " + protocol.ExactlyInWords(w.most)})
}

// alive is after how much silence a client is asked for a sign of life, and how long it is believed
// in: with one interval it is asked in its middle, since it must have time to answer.
func alive(terms *access.Terms) (ask, patience time.Duration) {
	ask, most := terms.AliveInterval, time.Duration(terms.AliveMost)
	if ask <= 0 || most <= 0 {
		return 0, 0
	}
	patience = ask * min(most, aliveLongest/ask)
	return min(ask, patience/2), patience
}

// aliveLongest is as good as for ever, and fits a time.Duration.
const aliveLongest = 10 * 365 * 24 * time.Hour
