package mux

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"minissh/protocol"
)

// Registry is a daemon's table of sessions. A session is found by its owner (a key's fingerprint or
// a uid), user and name together (RE3): whoever learns a name cannot use it under another key.
//
// Lock order: Session.mu, then Registry.mu. The Registry calls no method of a Session while it
// holds its lock.
type Registry struct {
	limit int

	mu       sync.Mutex
	sessions map[place]*Entry
	tombs    tombs
}

// Entry is a session in the table.
type Entry struct {
	Owner, User string
	Since       time.Time // of its first HELLO
	Session     *Session
}

// place is the hash of owner, user and name: as a key it has one size, whatever name a client
// chooses.
type place [sha256.Size]byte

// NewRegistry returns a table for at most limit sessions. A session counts until its commands have
// ended too.
func NewRegistry(limit int) *Registry {
	return &Registry{limit: limit, sessions: map[place]*Entry{}, tombs: newTombs()}
}

// Attach finds the session that a HELLO names, or makes it if the HELLO asks for that. The caller
// has checked the HELLO and authorized its sender for user, on this attempt too (RULES B17). It
// passes what Attach returns to Session.Accept at once, or to Session.Close. The table is locked
// while create runs, which therefore waits for nothing.
//
// The error is a *protocol.Violation: session_unknown, session_expired, session_ended or
// too_many_sessions; or create's own.
func (r *Registry) Attach(owner string, hello *protocol.Hello, create func() (*Session, error)) (
	*Session, error) {
	at := placeOf(owner, hello.User, hello.Session)
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, err := r.find(at); s != nil || err != nil {
		return s, err
	}
	if !hello.Create {
		return nil, protocol.Violate(protocol.CodeSessionUnknown,
			"this daemon does not know the session")
	}
	if len(r.sessions) >= r.limit {
		return nil, protocol.Violate(protocol.CodeTooManySessions,
			"this daemon allows %d sessions at most, for all users together", r.limit)
	}
	s, err := create()
	if err != nil {
		return nil, err
	}
	s.onEnd = func() { r.bury(at, s) }
	r.sessions[at] = &Entry{Owner: owner, User: hello.User, Since: time.Now(), Session: s}
	return s, nil
}

// Find finds the session that a HELLO names, nil if there is none. The error is a
// *protocol.Violation: session_expired or session_ended.
func (r *Registry) Find(owner string, hello *protocol.Hello) (*Session, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.find(placeOf(owner, hello.User, hello.Session))
}

// find is Find. The caller holds mu.
func (r *Registry) find(at place) (*Session, error) {
	if t := r.tombs.find(at); t != nil { // first: its commands may still be ending
		return nil, t.answer
	}
	if e := r.sessions[at]; e != nil {
		return e.Session, nil
	}
	return nil, nil
}

// bury notes that a session has ended, and frees its place once its commands have ended too.
// Session.end calls it, holding Session.mu.
func (r *Registry) bury(at place, s *Session) {
	t := &tomb{place: at, user: s.cfg.Sharer, answer: s.over()}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tombs.bury(t)
	go func() {
		s.Wait()
		r.mu.Lock()
		delete(r.sessions, at)
		r.mu.Unlock()
		if s.cfg.Gone != nil {
			s.cfg.Gone()
		}
	}()
}

// Remembers says whether any session that has ended is remembered.
func (r *Registry) Remembers() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tombs.dig()
	return r.tombs.order.len() > 0
}

// Entries is a copy of the table as it is now, in no order: for shutting down, and for listing who
// is here.
func (r *Registry) Entries() []Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	entries := make([]Entry, 0, len(r.sessions))
	for _, e := range r.sessions {
		entries = append(entries, *e)
	}
	return entries
}

func placeOf(parts ...string) (at place) {
	h := sha256.New()
	for _, part := range parts { // with lengths: "a","bc" is not "ab","c"
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	h.Sum(at[:0])
	return at
}
