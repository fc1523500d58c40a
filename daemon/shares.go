package daemon

import (
	"fmt"
	"sync"

	"minissh/protocol"
	"minissh/protocol/mux"
)

// What is bounded for all is bounded for each user below that, so that nobody takes all of it (RULES D5). Whose share
// something counts against:
//
//	on a Unix socket            the uid at the other end
//	a key, to a daemon of root  the account that it logs in to, by its uid
//	a key, to any other daemon  the key: all of them log in to the one account
//
// Root, and whoever else owns the daemon, may besides use what is kept in reserve, to log in where all else is taken.

// Shares is what one user may take of what is there for all. A field that is 0 is set by defaults.
type Shares struct {
	Sessions    int   // at once; 0: an eighth of MaxSessions, but 16 at least
	Commands    int   // at once in all of a user's sessions, copying included; 0: 512
	AllCommands int   // at once in all sessions; 0: 8,192
	Windows     int64 // bytes by which windows may grow; 0: an eighth of MaxWindows
	Logins      int   // that wait for what is known of a user; 0: a quarter of MaxStartups
	Reserve     int   // sessions, commands and unauthenticated connections kept for root; 0: 16 or an eighth; below 0: none
}

// defaults are made from the options for all, which have theirs already.
func (s *Shares) defaults(o *Options) {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&s.Sessions, max(o.MaxSessions/8, 16))
	def(&s.AllCommands, 8192)
	def(&s.Commands, 512)
	def(&s.Logins, max(o.MaxStartups/4, 1))
	def(&s.Reserve, min(16, o.MaxSessions/8, o.MaxStartups/8, s.AllCommands/8))
	if s.Windows == 0 {
		s.Windows = o.MaxWindows / 8
	}
}

// sharer is whose share something counts against.
type sharer struct {
	id    string // equal for one user
	words string // for people
	first bool   // may use the reserve
}

// bound is how many of a kind there may be.
type bound struct {
	all, each, reserve int
	taken              int
}

// roomFor says whether a user who has so many may have one more: of its own share, and of all.
func (b *bound) roomFor(has int, first bool) (own, all bool) {
	most := b.all
	if !first {
		most -= b.reserve
	}
	return has < b.each, b.taken < most
}

// shares counts what each user has.
type shares struct {
	windows     *mux.Budget
	windowsEach int64
	loginsEach  int

	mu       sync.Mutex // guards the rest
	sessions bound
	commands bound
	users    map[string]*share // by sharer.id; those that have a session
	logins   map[string]int    // by the name that a login asks for; those that wait
}

// share is what one user has. shares.mu guards its numbers.
type share struct {
	of                 *shares
	who                sharer
	sessions, commands int
	windows            *mux.Budget
}

func newShares(o *Options) *shares {
	reserve := max(o.Shares.Reserve, 0)
	return &shares{
		windows: mux.NewBudget(o.MaxWindows), windowsEach: o.Shares.Windows, loginsEach: o.Shares.Logins,
		sessions: bound{all: o.MaxSessions, each: o.Shares.Sessions, reserve: reserve},
		commands: bound{all: o.Shares.AllCommands, each: o.Shares.Commands, reserve: reserve},
		users:    map[string]*share{}, logins: map[string]int{},
	}
}

// enterSession takes a place for a session, which leaveSession gives back. The error is a *protocol.Violation.
func (s *shares) enterSession(who sharer) (*share, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.users[who.id]
	if mine == nil {
		mine = &share{of: s, who: who, windows: s.windows.Share(s.windowsEach)}
	}
	switch own, all := s.sessions.roomFor(mine.sessions, who.first); {
	case !own:
		return nil, protocol.Violate(protocol.CodeTooManySessions, "%s has %d sessions, the most for one user (--max-sessions-per-user)", who.words, mine.sessions)
	case !all:
		return nil, protocol.Violate(protocol.CodeTooManySessions, "%d sessions are the most here, for all users together", s.sessions.taken)
	}
	s.users[who.id] = mine
	s.sessions.taken++
	mine.sessions++
	return mine, nil
}

// leaveSession gives the place of a session back, once.
func (m *share) leaveSession() {
	m.of.mu.Lock()
	defer m.of.mu.Unlock()
	m.of.sessions.taken--
	if m.sessions--; m.sessions == 0 {
		delete(m.of.users, m.who.id)
	}
}

// enterCommand takes a place for a command, or for another service; leave, which is called once, gives it back.
func (m *share) enterCommand() (leave func(), refused *protocol.Reason) {
	s := m.of
	s.mu.Lock()
	defer s.mu.Unlock()
	switch own, all := s.commands.roomFor(m.commands, m.who.first); {
	case !own:
		return nil, refusal(protocol.CodeTooManyCommands, fmt.Sprintf("%s has %d commands running, the most for one user (--max-commands-per-user)", m.who.words, m.commands))
	case !all:
		return nil, refusal(protocol.CodeTooManyCommands, fmt.Sprintf("%d commands are the most here, for all users together", s.commands.taken))
	}
	s.commands.taken++
	m.commands++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.commands.taken--
		m.commands--
	}, nil
}

// enterLogin takes a place among the logins that wait for what is known of a user: the account, and its files, which may
// lie on a server that does not answer. It counts by the name that was asked for, whether or not there is such a user. leave
// is safe to call more than once.
func (s *shares) enterLogin(user string) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logins[user] >= s.loginsEach {
		return nil, protocol.Violate(protocol.CodeTooManySessions, "%d logins of this user wait already for its account and its files to be read", s.loginsEach)
	}
	s.logins[user]++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.logins[user]--; s.logins[user] == 0 {
			delete(s.logins, user)
		}
	}), nil
}
