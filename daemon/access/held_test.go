package access

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func placeIn(all *shares) *Place { return &Place{Share: &Share{of: all}} }

// If the sessions that wait keep too much, the oldest of the user who keeps most goes first, and
// nobody goes who keeps less than an equal share; a session that keeps nothing is of no use.
func TestHeldSessionsGiveWay(t *testing.T) {
	all := newShares(&Rules{MaxHeld: 100})
	shares := map[byte]*Place{'a': placeIn(all), 'b': placeIn(all), 'c': placeIn(all)}
	overs := map[string]func(){}
	var gone []string
	for _, step := range []struct{ does, gives string }{
		{"a1:50 a2:0 a3:40 b1:10", ""}, // just enough
		{"b2:1", "a1"},
		{"c1:49", ""},
		{"b3:1", "c1"},
		{"a4:85", "a3"},           // the user who comes may be the one who has too much
		{"a5:200", "a4 a5"},       // and the one who comes may itself go
		{"-a1 -a2 -a2 b4:88", ""}, // whoever is gone gives nothing back again
		{"a6:50 c2:30", "b1 b2 b3 b4"},
		{"-a6 -c2 a7:100", ""},
	} {
		gone = nil
		for _, word := range strings.Fields(step.does) {
			if name, is := strings.CutPrefix(word, "-"); is {
				overs[name]()
				continue
			}
			name, size, _ := strings.Cut(word, ":")
			var bytes int64
			fmt.Sscan(size, &bytes)
			over, tooMuch := shares[name[0]].Hold(bytes, func(string) bool {
				gone = append(gone, name)
				return true
			})
			overs[name] = over
			for _, end := range tooMuch {
				end()
			}
		}
		if got := strings.Join(gone, " "); got != step.gives {
			t.Errorf("%s: %q gave way, not %q", step.does, got, step.gives)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(overs)) {
		overs[name]()
	}
	if all.held.bytes != 0 || len(all.held.users) != 0 {
		t.Errorf("left: %+v", all.held)
	}
}

// A user with many small sessions that wait is not disturbed by one with large ones, nor the other
// way round.
func TestHeldShares(t *testing.T) {
	all := newShares(&Rules{MaxHeld: 1000})
	small, large := placeIn(all), placeIn(all)
	lost := map[*Place]int{}
	hold := func(of *Place, bytes int64) {
		_, tooMuch := of.Hold(bytes, func(string) bool { lost[of]++; return true })
		for _, end := range tooMuch {
			end()
		}
	}
	for range 499 {
		hold(small, 1)
	}
	for range 100 {
		hold(large, 300)
	}
	if lost[small] != 0 || lost[large] != 99 {
		t.Errorf("%d of 499 small ones went, %d of 100 large ones", lost[small], lost[large])
	}
}

// Of an account's sessions that wait, those of the key that logs in give way, the oldest first, and
// not those of another key, which may be allowed more. One whose client has come back meanwhile
// does not, and what gave way counts among all until it is over.
func TestGiveWayToItsOwnKey(t *testing.T) {
	rules := Rules{MaxSessions: 8, MaxHeld: 100, Shares: Shares{Sessions: 4, Reserve: -1}}
	rules.Defaults()
	g := &Guard{shares: newShares(&rules)}
	all, ann := g.shares, sharer{id: "uid 1001", words: "ann"}
	var ended []string
	hold := func(name, owner string, waits bool) *Place {
		place, err := all.enterSession(ann, owner, Most{})
		if err != nil {
			t.Fatal(err)
		}
		place.Hold(0, func(string) bool {
			if waits {
				ended = append(ended, name)
			}
			return waits
		})
		return place
	}
	hold("other", "key 2", true)
	hold("back", "key 1", false)
	first := hold("first", "key 1", true)
	hold("second", "key 1", true)
	_, full := all.enterSession(ann, "key 1", Most{})
	if full == nil || !g.GiveWay(&Client{Key: "key 1"}, full) ||
		strings.Join(ended, " ") != "first" {
		t.Fatalf("%v; %q gave way", full, ended)
	}
	if all.sessions.taken != 4 {
		t.Errorf("%d sessions count among all", all.sessions.taken)
	}
	if _, err := all.enterSession(ann, "key 1", Most{}); err != nil {
		t.Error("there is no room: ", err)
	}
	if _, err := all.enterSession(ann, "key 1", Most{}); err == nil {
		t.Error("one that gave way makes room for two")
	}
	first.Leave()
	if all.sessions.taken != 4 || first.Share.gaveWay != 0 || first.sessions != 4 {
		t.Errorf("%d in all, %+v", all.sessions.taken, first.Share)
	}
	if g.GiveWay(&Client{Key: "key 3"}, full) || g.GiveWay(&Client{Owner: "key 1"}, nil) {
		t.Error("something gave way to a key without sessions, or to nothing")
	}
	if !g.GiveWay(&Client{Key: "key 1"}, full) || g.GiveWay(&Client{Owner: "key 1"}, full) ||
		strings.Join(ended, " ") != "first second" {
		t.Errorf("%q gave way", ended)
	}
}
