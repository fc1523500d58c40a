package access

import (
	"cmp"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"minissh/daemon/audit"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Whatever is limited for all has a lower limit for each user, so that nobody takes all of it
// (RULES D5). Whose share something counts against:
//
//	on a Unix socket            the uid at the other end
//	a key, to a daemon of root  the account that it logs in to, by its uid
//	a key, to any other daemon  the key: all of them log in to the one account
//
// Root, and the daemon's own user, may also use what is kept in reserve.

// Rules say who may log in, and how much each may take. Nothing in them changes after NewGuard.
type Rules struct {
	Account process.Account // the daemon's own
	Access  Access          // who may log in

	MaxStartups  int        // unauthenticated connections at once; 0: 200
	MaxPerSource int        // of them from one source; 0: 100
	MaxSessions  int        // 0: 4,096
	MaxWindows   int64      // bytes by which windows may grow over all sessions; 0: 512 MiB
	MaxHeld      int64      // bytes that sessions without a link may keep together; 0: 256 MiB
	MaxKept      int64      // bytes kept for next links, beyond what each session may; 0: 512 MiB
	Shares       Shares     // of these, and of commands, what one user may take
	Audit        *audit.Log // nil: there is none

	RefusalTime   time.Duration    // refusals of keys take it, times a power of two; 0: none
	PenaltyExempt []netip.Prefix   // never penalized; loopback never is
	Now           func() time.Time // of penalties; nil: time.Now
	TLSOnUnix     bool             // TLS on Unix sockets too: for a pair with a program of ours
}

// Shares are what one user may take. Defaults sets the fields that are 0.
type Shares struct {
	Sessions    int   // at once; 0: an eighth of MaxSessions, but 16 at least
	Commands    int   // at once in all of a user's sessions, copying included; 0: 512
	AllCommands int   // at once in all sessions; 0: 8,192
	Windows     int64 // bytes by which windows may grow; 0: an eighth of MaxWindows
	Kept        int64 // bytes kept for next links; 0: an eighth of MaxKept
	Logins      int   // that wait for what is known of a user; 0: a quarter of MaxStartups
	Reserve     int   // of places, kept for root; 0: 16 or an eighth; below 0: none
}

// Defaults sets what is 0.
func (r *Rules) Defaults() {
	s := &r.Shares
	r.MaxStartups = cmp.Or(r.MaxStartups, 200)
	r.MaxPerSource = cmp.Or(r.MaxPerSource, 100)
	r.MaxSessions = cmp.Or(r.MaxSessions, 4096)
	r.MaxWindows = cmp.Or(r.MaxWindows, 512<<20)
	r.MaxHeld = cmp.Or(r.MaxHeld, 256<<20)
	r.MaxKept = cmp.Or(r.MaxKept, 512<<20)
	s.Sessions = cmp.Or(s.Sessions, max(r.MaxSessions/8, 16))
	s.AllCommands = cmp.Or(s.AllCommands, 8192)
	s.Commands = cmp.Or(s.Commands, 512)
	s.Logins = cmp.Or(s.Logins, max(r.MaxStartups/4, 1))
	s.Reserve = cmp.Or(s.Reserve, min(16, r.MaxSessions/8, r.MaxStartups/8, s.AllCommands/8))
	s.Windows = cmp.Or(s.Windows, r.MaxWindows/8)
	s.Kept = cmp.Or(s.Kept, r.MaxKept/8)
	if r.Now == nil {
		r.Now = time.Now
	}
}

// sharer is the user whose share something counts against.
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
	kept        *mux.Budget
	keptEach    int64
	loginsEach  int
	held        *held

	mu       sync.Mutex // guards the rest
	sessions bound
	commands bound
	users    map[string]*Share // by sharer.id; those that have a session
	logins   map[string]int    // by the name that a login asks for; those that wait
}

// Share is what one user has. shares.mu guards its numbers.
type Share struct {
	of                 *shares
	who                sharer
	sessions, commands int
	gaveWay            int // of the sessions: they do not count in the share any more

	keys map[string]*keyShare // those with sessions, by Place.owner

	windows, kept *mux.Budget
	long          chan struct{} // has an element for each turn that is taken
}

// keyShare is what one key of a user has, of the same. shares.mu guards it.
type keyShare struct{ sessions, gaveWay, commands int }

// Place is the place of one session in a user's share. shares.mu guards its state.
type Place struct {
	*Share
	owner         string // of the session (Client.Key)
	gaveWay, left bool
}

func newShares(r *Rules) *shares {
	reserve := max(r.Shares.Reserve, 0)
	return &shares{
		windows: mux.NewBudget(r.MaxWindows), windowsEach: r.Shares.Windows,
		kept: mux.NewBudget(r.MaxKept), keptEach: r.Shares.Kept,
		loginsEach: r.Shares.Logins, held: newHeld(r.MaxHeld),
		sessions: bound{all: r.MaxSessions, each: r.Shares.Sessions, reserve: reserve},
		commands: bound{all: r.Shares.AllCommands, each: r.Shares.Commands, reserve: reserve},
		users:    map[string]*Share{}, logins: map[string]int{},
	}
}

// enterSession takes a place, which Leave gives back. The error is an errFull if the user's share
// is used up, or the key's, else a *protocol.Violation.
func (s *shares) enterSession(who sharer, owner string, most Most) (*Place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.users[who.id]
	if mine == nil {
		mine = &Share{of: s, who: who, keys: map[string]*keyShare{},
			windows: s.windows.Share(s.windowsEach), kept: s.kept.Share(s.keptEach),
			long: make(chan struct{}, longAtOnce)}
	}
	counting, ofKey := mine.sessions-mine.gaveWay, 0
	key := mine.keys[owner]
	if key != nil {
		ofKey = key.sessions - key.gaveWay
	}
	limits := s.sessions
	limits.each = cmp.Or(most.Sessions, limits.each)
	switch own, all := limits.roomFor(counting, who.first); {
	case most.KeySessions > 0 && ofKey >= most.KeySessions:
		return nil, errFull{protocol.Violate(protocol.CodeTooManySessions,
			"%s has %d sessions with this key, the most for one key (--max-sessions-per-key)",
			who.words, ofKey), mine}
	case !own:
		return nil, errFull{protocol.Violate(protocol.CodeTooManySessions,
			"%s has %d sessions, the most for one user (--max-sessions-per-user)", who.words,
			counting), mine}
	case !all:
		return nil, protocol.Violate(protocol.CodeTooManySessions,
			"this daemon allows %d sessions at most, for all users together", s.sessions.taken)
	}
	s.users[who.id] = mine
	s.sessions.taken++
	mine.sessions++
	if key == nil {
		key = &keyShare{}
		mine.keys[owner] = key
	}
	key.sessions++
	return &Place{Share: mine, owner: owner}, nil
}

// errFull is the refusal of a session because its user has as many as one user may have.
type errFull struct {
	*protocol.Violation
	share *Share
}

func (e errFull) Unwrap() error { return e.Violation }

// User identifies whose share it is.
func (m *Share) User() string { return m.who.id }

// Windows limits what the windows of one session may grow by.
func (m *Share) Windows() *mux.Budget { return m.windows }

// Kept limits what one session keeps for its next link.
func (m *Share) Kept() *mux.Budget { return m.kept }

// Leave gives the place back, once: the session has ended, and what ran in it.
func (p *Place) Leave() {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	p.of.sessions.taken--
	key := p.keys[p.owner]
	if p.left = true; p.gaveWay {
		p.Share.gaveWay--
		key.gaveWay--
	}
	if key.sessions--; key.sessions == 0 {
		delete(p.keys, p.owner)
	}
	if p.sessions--; p.sessions == 0 {
		delete(p.of.users, p.who.id)
	}
}

// giveWay takes a session that has ended out of its user's share, although what ran in it may still
// be ending. It goes on counting among all sessions, and those commands among the user's.
func (p *Place) giveWay() {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	if !p.left && !p.gaveWay {
		p.gaveWay = true
		p.Share.gaveWay++
		p.keys[p.owner].gaveWay++
	}
}

// EnterCommand takes a place for what a service does for a client; leave, which is called once,
// gives it back.
func (m *Share) EnterCommand(who *Client, most Most) (leave func(), refused *protocol.Reason) {
	s := m.of
	s.mu.Lock()
	defer s.mu.Unlock()
	key := m.keys[who.Key]
	if key == nil { // of a session that has just ended
		key = &keyShare{}
	}
	limits := s.commands
	limits.each = cmp.Or(most.Commands, limits.each)
	switch own, all := limits.roomFor(m.commands, m.who.first); {
	case most.KeyCommands > 0 && key.commands >= most.KeyCommands:
		return nil, refuse("%s has %d commands running with this key, the most for one key "+
			"(--max-commands-per-key)", m.who.words, key.commands)
	case !own:
		return nil, refuse("%s has %d commands running, the most for one user "+
			"(--max-commands-per-user)", m.who.words, m.commands)
	case !all:
		return nil, refuse("this daemon allows %d commands at most, for all users together",
			s.commands.taken)
	}
	s.commands.taken++
	m.commands++
	key.commands++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.commands.taken--
		m.commands--
		key.commands--
	}, nil
}

// enterLogin takes a place among the logins that wait for what is known about a user: the account,
// and its files, which may be on a server that does not answer. It counts by the name that was
// asked for, whether or not that user exists. leave may be called more than once.
func (s *shares) enterLogin(user string) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logins[user] >= s.loginsEach {
		return nil, protocol.Violate(protocol.CodeTooManySessions,
			"%d logins of this user wait already for its account and its files to be read",
			s.loginsEach)
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

func refuse(format string, args ...any) *protocol.Reason {
	return &protocol.Reason{Code: protocol.CodeTooManyCommands,
		Message: fmt.Sprintf(format, args...)}
}
