package mux

import (
	"encoding/binary"
	"testing"
)

// A user whose sessions end as fast as they can does not make the daemon forget how another user's
// ended, who has fewer than an equal share; the oldest go first.
func TestTombsAreShared(t *testing.T) {
	numbered := func(user string, i int) *tomb {
		one := &tomb{user: user}
		binary.BigEndian.PutUint64(one.place[:], uint64(i))
		copy(one.place[8:], user)
		return one
	}
	all := newTombs()
	knows := func(user string, i int) bool { return all.find(numbered(user, i).place) != nil }
	const few = tombMost / 2
	for i := range few {
		all.bury(numbered("few", i))
	}
	for i := range 3 * tombMost {
		all.bury(numbered("many", i))
	}
	if !knows("few", 0) || !knows("few", few-1) {
		t.Error("another user's are forgotten")
	}
	newest := 3*tombMost - 1
	if knows("many", newest-tombMost/2) || !knows("many", newest-tombMost/2+1) ||
		!knows("many", newest) {
		t.Error("of the user who has most, it is not the oldest that are forgotten")
	}
	all.bury(numbered("third", 0))
	if !knows("third", 0) || knows("few", 0) == knows("many", newest-tombMost/2+1) {
		t.Error("a third user's takes the place of one other")
	}
	if n := all.order.len(); n != tombMost || len(all.all) != n || all.users["few"]+
		all.users["many"]+all.users["third"] != n {
		t.Errorf("%d in order, %d, %v", n, len(all.all), all.users)
	}
}
