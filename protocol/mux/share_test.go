package mux

import "testing"

// What a share gives out counts against the whole too, and neither gives more than it has.
func TestBudgetShare(t *testing.T) {
	whole := NewBudget(100)
	a, b := whole.Share(60), whole.Share(60)
	for i, c := range []struct {
		of   *Budget
		n    int64
		want bool
	}{
		{a, 61, false}, {a, 60, true}, {a, 1, false}, {b, 41, false}, {b, 40, true}, {whole, 1, false},
	} {
		if got := c.of.take(c.n); got != c.want {
			t.Errorf("%d: take(%d) is %v", i, c.n, got)
		}
	}
	a.give(60)
	if !b.take(20) || b.take(1) || !whole.take(40) || whole.take(1) {
		t.Error("what was given back is there for others")
	}
}
