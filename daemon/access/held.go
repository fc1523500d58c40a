package access

import (
	"errors"
	"sync"
)

// held bounds the memory of the sessions that have lost their links and wait for their clients. If
// they keep too much together, the user gives way whose sessions keep most, and that is always more
// than an equal share.
type held struct {
	most int64 // bytes

	mu    sync.Mutex // guards the rest
	bytes int64
	users map[*Share]*holder
}

// holder is a user with sessions that wait.
type holder struct {
	bytes    int64
	sessions []*heldSession // oldest first
}

type heldSession struct {
	place *Place
	bytes int64
	end   func(why string) bool
}

func newHeld(most int64) *held { return &held{most: most, users: map[*Share]*holder{}} }

// Hold notes that the session waits for its client and keeps so many bytes meanwhile. over, which
// may be called more than once, says that it waits no longer. end ends the wait, for a reason that
// is for the log; false: it is over already. It is called without any of our locks.
//
// All sessions that wait may keep too much now: the caller calls those functions, soon.
func (p *Place) Hold(bytes int64, end func(why string) bool) (over func(), tooMuch []func()) {
	h := p.of.held
	session := &heldSession{p, bytes, end}
	h.mu.Lock()
	defer h.mu.Unlock()
	mine := h.users[p.Share]
	if mine == nil {
		mine = &holder{}
		h.users[p.Share] = mine
	}
	mine.sessions = append(mine.sessions, session)
	mine.bytes += bytes
	h.bytes += bytes
	for h.bytes > h.most {
		victim := h.pick()
		tooMuch = append(tooMuch, func() {
			victim.end("sessions without a link keep too much memory (--hold-memory)")
		})
	}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.remove(p.Share, session)
	}, tooMuch
}

// GiveWay makes room for a new session of a client that was refused one: if its user's share is
// used up, the oldest session of the same key that waits for its client ends. False: nothing gave
// way, so the refusal counts.
func (g *Guard) GiveWay(who *Client, refusal error) bool {
	full, ok := errors.AsType[errFull](refusal)
	if !ok {
		return false
	}
	h := g.shares.held
	for {
		session := h.oldest(full.share, who.Key)
		if session == nil {
			return false
		}
		if session.end("a new login of its key takes its place (--max-sessions-per-user)") {
			session.place.giveWay()
			return true
		}
	}
}

// oldest takes the session of a key that has waited longest; nil: none waits.
func (h *held) oldest(share *Share, owner string) *heldSession {
	h.mu.Lock()
	defer h.mu.Unlock()
	user := h.users[share]
	if user == nil {
		return nil
	}
	for _, session := range user.sessions {
		if session.place.owner == owner {
			h.remove(share, session)
			return session
		}
	}
	return nil
}

// pick takes the oldest session that keeps anything from the user whose sessions keep most. The
// caller holds mu.
func (h *held) pick() *heldSession {
	var greediest *Share
	for share, user := range h.users {
		if greediest == nil || user.bytes > h.users[greediest].bytes {
			greediest = share
		}
	}
	for _, session := range h.users[greediest].sessions {
		if session.bytes > 0 {
			h.remove(greediest, session)
			return session
		}
	}
	panic("access: bytes that no session keeps")
}

// remove forgets a session, once. The caller holds mu.
func (h *held) remove(share *Share, session *heldSession) {
	user := h.users[share]
	if user == nil {
		return
	}
	for i, other := range user.sessions {
		if other != session {
			continue
		}
		user.sessions = append(user.sessions[:i], user.sessions[i+1:]...)
		user.bytes -= session.bytes
		h.bytes -= session.bytes
		if len(user.sessions) == 0 {
			delete(h.users, share)
		}
		return
	}
}
