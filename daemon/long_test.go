//go:build unix

package daemon

import (
	"bytes"
	"testing"

	"minissh/protocol"
	"minissh/protocol/mux"
)

// Of the commands that come by STDIN a user has 32 at a time in the daemon's memory, beyond what an
// OPEN holds (512 of a megabyte took more than one gigabyte). The others wait for their credit, and
// nobody else waits for them.
func TestLongCommandsTakeTurns(t *testing.T) {
	const turns, length = 32, 1 << 20
	l := newLab(t, nil)
	s, other := l.session(nil), l.as2(l.second())
	defer s.Close(nil)
	defer other.Close(nil)
	begin := func(s *mux.Session) (ch *mux.Channel, there chan struct{}) {
		ch, there = start(t, s, protocol.Open{Length: length}), make(chan struct{})
		go func() {
			defer close(there)
			ch.Write(protocol.TypeStdin, bytes.Repeat([]byte{'#'}, length-1))
		}()
		return ch, there
	}
	var first *mux.Channel
	for range turns {
		ch, there := begin(s)
		if first == nil {
			first = ch
		}
		within(t, "a long command arrives", there)
	}
	late, waits := begin(s)
	// one that fits in an OPEN, one of another key, and one without STDIN wait for nobody
	small := start(t, s, protocol.Open{Length: 7})
	small.Write(protocol.TypeStdin, []byte("echo hi"))
	small.EOF(protocol.TypeStdin)
	if r := collect(t, small); r.out != "hi\n" {
		t.Errorf("a short command: %+v", r)
	}
	theirs, there := begin(other)
	within(t, "another key's arrives", there)
	theirs.Close(nil)
	select {
	case <-waits:
		t.Fatalf("%d long commands at once", turns+1)
	default:
	}
	gone, never := begin(s)
	gone.Close(nil) // while it waits for its turn
	if r := collect(t, gone); r.refused == nil || r.refused.Code != protocol.CodeCancelled {
		t.Errorf("%+v", r)
	}
	within(t, "its writer learns that", never)
	first.Close(nil)
	within(t, "the next has its turn", waits)
	late.Close(nil)
}
