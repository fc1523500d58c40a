package access

// longAtOnce is how many long commands of one user may be in memory at once (EX1, SE10).
const longAtOnce = 32

// LongTurn is the turn of a command that comes by STDIN, among those of its user. One goroutine
// uses it.
type LongTurn struct {
	long  chan struct{} // of the Share: has an element for each turn that is taken
	taken bool
}

// LongTurn is a turn that is not yet taken.
func (m *Share) LongTurn() *LongTurn { return &LongTurn{long: m.long} }

// Take waits for the turn, unless it is taken already. It returns false once gone is closed.
func (t *LongTurn) Take(gone <-chan struct{}) bool {
	if t.taken {
		return true
	}
	select {
	case t.long <- struct{}{}:
		t.taken = true
	case <-gone:
	}
	return t.taken
}

// Done ends the turn, if it is taken.
func (t *LongTurn) Done() {
	if t.taken {
		<-t.long
		t.taken = false
	}
}
