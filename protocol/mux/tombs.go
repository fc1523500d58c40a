package mux

import (
	"cmp"
	"errors"
	"time"

	"minissh/protocol"
)

// How long a Registry remembers a session that has ended, and how many of them at most (RE4).
const (
	tombTime = 10 * time.Minute
	tombMost = 4096
)

// tombs are what a Registry remembers of sessions that have ended. If they are too many, the oldest
// goes first of the user who has most: so nobody makes the daemon forget another user's sessions,
// as long as those are fewer than an equal share.
type tombs struct {
	all   map[place]*tomb
	order queue[*tomb]   // oldest first
	users map[string]int // how many each user has
}

type tomb struct {
	place place
	user  string // Config.Sharer
	until time.Time
	// to a client that comes back for it
	answer *protocol.Violation
}

func newTombs() tombs { return tombs{all: map[place]*tomb{}, users: map[string]int{}} }

// find is what is remembered of a session, nil if nothing is.
func (t *tombs) find(at place) *tomb {
	t.dig()
	return t.all[at]
}

// bury remembers one more session that has ended now.
func (t *tombs) bury(one *tomb) {
	t.buryUntil(one, time.Now().Add(tombTime))
}

// buryUntil is bury for less than the usual time. The order is that of burials: one that is
// forgotten late for it keeps others no longer than that.
func (t *tombs) buryUntil(one *tomb, until time.Time) {
	t.dig()
	if t.all[one.place] != nil {
		return
	}
	one.until = until
	t.all[one.place] = one
	t.order.push(one)
	t.users[one.user]++
	if t.order.len() <= tombMost {
		return
	}
	most := 0
	for _, n := range t.users {
		most = max(most, n)
	}
	for i := range t.order.len() {
		if oldest := *t.order.at(i); t.users[oldest.user] == most {
			t.order.remove(i)
			t.forget(oldest)
			return
		}
	}
}

// dig forgets those whose time is over.
func (t *tombs) dig() {
	for now := time.Now(); t.order.len() > 0 && now.After((*t.order.at(0)).until); {
		t.forget(t.order.pop())
	}
}

// forget forgets one that is not in order any more.
func (t *tombs) forget(one *tomb) {
	delete(t.all, one.place)
	if t.users[one.user]--; t.users[one.user] == 0 {
		delete(t.users, one.user)
	}
}

// over is the answer to a client that comes back for a session that has ended: session_expired if
// nobody came back in time, else session_ended. The caller holds mu.
func (s *Session) over() *protocol.Violation {
	var lost *LinkLost
	if errors.Is(s.ended, ErrExpired) || errors.As(s.ended, &lost) {
		return protocol.Violate(protocol.CodeSessionExpired, "the session is over")
	}
	return protocol.Violate(protocol.CodeSessionEnded, "%s",
		cmp.Or(s.parting, "the session is over"))
}
