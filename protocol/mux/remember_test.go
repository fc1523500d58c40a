package mux

import (
	"strings"
	"testing"
	"time"

	"minissh/protocol"
)

// RE9: what one daemon remembers of sessions that have ended another one answers, for as long as
// the first would have, and never longer than ten minutes; nonsense is not taken over.
func TestRemember(t *testing.T) {
	hello := &protocol.Hello{User: "alice", Session: strings.Repeat("0a", 32)}
	first, second := NewRegistry(10), NewRegistry(10)
	at := placeOf("key", hello.User, hello.Session)
	first.tombs.buryUntil(&tomb{place: at, user: "alice",
		answer: protocol.Violate(protocol.CodeSessionEnded, "the administrator did")},
		time.Now().Add(5*time.Minute))
	if !first.Remembers() || second.Remembers() {
		t.Fatal("who remembers?")
	}
	for _, ended := range first.Ended() {
		if err := second.Remember(ended); err != nil {
			t.Fatal(err)
		}
	}
	_, err := second.Find("key", hello)
	if err == nil || !strings.Contains(err.Error(), "session_ended") ||
		!strings.Contains(err.Error(), "the administrator did") {
		t.Errorf("%v", err)
	}
	if left := second.Ended()[0].Left; left < 4*60_000 || left > 5*60_000 {
		t.Errorf("%d ms are left", left)
	}
	if session, err := second.Find("another key", hello); session != nil || err != nil {
		t.Errorf("%v, %v", session, err)
	}
	good := first.Ended()[0]
	for name, spoil := range map[string]func(e *Ended){
		"no place":    func(e *Ended) { e.Place = "" },
		"long place":  func(e *Ended) { e.Place += "00" },
		"not hex":     func(e *Ended) { e.Place = strings.Repeat("x", 64) },
		"other code":  func(e *Ended) { e.Code = protocol.CodeInternal },
		"living code": func(e *Ended) { e.Code = "" },
	} {
		third, e := NewRegistry(10), good
		spoil(&e)
		if third.Remember(e) == nil || third.Remembers() {
			t.Errorf("%s: %+v", name, e)
		}
	}
	third := NewRegistry(10)
	good.Left = 1 << 60
	third.Remember(good)
	if left := third.Ended()[0].Left; left > 10*60_000 {
		t.Errorf("%d ms", left)
	}
}
