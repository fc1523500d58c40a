package access

import "sync"

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
	bytes  int64
	giveUp func()
}

func newHeld(most int64) *held { return &held{most: most, users: map[*Share]*holder{}} }

// Hold notes that a session of the user's waits for its client and keeps so many bytes meanwhile.
// over, which may be called more than once, says that it waits no longer. giveUp ends the wait
// because all sessions that wait keep too much: it is called in a goroutine that may hold a
// session's lock, and after over.
func (m *Share) Hold(bytes int64, giveUp func()) (over func()) {
	h := m.of.held
	session := &heldSession{bytes, giveUp}
	h.mu.Lock()
	mine := h.users[m]
	if mine == nil {
		mine = &holder{}
		h.users[m] = mine
	}
	mine.sessions = append(mine.sessions, session)
	mine.bytes += bytes
	h.bytes += bytes
	var victims []*heldSession
	for h.bytes > h.most {
		victims = append(victims, h.pick())
	}
	h.mu.Unlock()
	for _, victim := range victims {
		victim.giveUp()
	}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.remove(m, session)
	}
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
