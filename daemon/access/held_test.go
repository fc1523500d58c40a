package access

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// If the sessions that wait keep too much, the oldest of the user who keeps most goes first, and
// nobody goes who keeps less than an equal share; a session that keeps nothing is of no use.
func TestHeldSessionsGiveWay(t *testing.T) {
	all := newShares(&Rules{MaxHeld: 100})
	shares := map[byte]*Share{'a': {of: all}, 'b': {of: all}, 'c': {of: all}}
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
			overs[name] = shares[name[0]].Hold(bytes, func() { gone = append(gone, name) })
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
	small, large := &Share{of: all}, &Share{of: all}
	lost := map[*Share]int{}
	for range 499 {
		small.Hold(1, func() { lost[small]++ })
	}
	for range 100 {
		large.Hold(300, func() { lost[large]++ })
	}
	if lost[small] != 0 || lost[large] != 99 {
		t.Errorf("%d of 499 small ones went, %d of 100 large ones", lost[small], lost[large])
	}
}
