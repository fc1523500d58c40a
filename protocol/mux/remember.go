package mux

import (
	"encoding/hex"
	"errors"
	"time"

	"minissh/protocol"
)

// Ended is what a Registry remembers of a session that has ended (RE4), for another Registry: that
// of the daemon that takes the place of this one (RE9). The session's name cannot be read from it.
type Ended struct {
	Place   string        `json:"place"`
	User    string        `json:"user"` // whose share it is
	Left    int64         `json:"left_ms"`
	Code    protocol.Code `json:"code"`
	Message string        `json:"message"`
}

// Ended lists the sessions that have ended and are remembered, the oldest first.
func (r *Registry) Ended() (list []Ended) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tombs.dig()
	for i := range r.tombs.order.len() {
		t := *r.tombs.order.at(i)
		list = append(list, Ended{hex.EncodeToString(t.place[:]), t.user,
			time.Until(t.until).Milliseconds(), t.answer.Code, t.answer.Message})
	}
	return list
}

// Remember takes over what another Registry remembers. The error is that it is not of that kind.
func (r *Registry) Remember(e Ended) error {
	t := &tomb{user: e.User}
	if len(e.Place) != 2*len(t.place) {
		return errors.New("a session without a name")
	}
	if _, err := hex.Decode(t.place[:], []byte(e.Place)); err != nil {
		return err
	}
	if e.Code != protocol.CodeSessionExpired && e.Code != protocol.CodeSessionEnded {
		return errors.New("a session that has not ended")
	}
	t.answer = protocol.Violate(e.Code, "%s", e.Message)
	left := time.Duration(min(max(e.Left, 0), tombTime.Milliseconds())) * time.Millisecond
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tombs.buryUntil(t, time.Now().Add(left))
	return nil
}
