package run

import (
	"bytes"
	"testing"
	"testing/synctest"
)

// What is typed while there is no link is kept in order, up to a bound; what is more is refused,
// and nobody waits.
func TestTypeahead(t *testing.T) {
	a := newTypeahead()
	a.link(true)
	piece := bytes.Repeat([]byte("k"), 4096)
	for n := 0; n < mostTyped; n += len(piece) {
		if !a.put(piece) {
			t.Fatalf("refused after %d bytes", n)
		}
	}
	if a.full() || a.put([]byte("k")) || !a.full() || a.empty() {
		t.Error("the bound does not hold")
	}
	if n := len(a.take()); n != mostTyped {
		t.Errorf("%d bytes kept", n)
	}
	if a.empty() {
		t.Error("empty while it is being sent")
	}
	a.link(false)
	a.put([]byte("a"))
	a.put([]byte("b"))
	if got := string(a.take()); got != "ab" || a.full() {
		t.Errorf("%q", got)
	}
	a.end()
	if a.take() != nil || !a.empty() {
		t.Error("something is left")
	}
}

// While there is a link, whoever reads the keyboard waits for room, until something is sent, the
// link is lost, or nobody wants it any more.
func TestTypeaheadWaits(t *testing.T) {
	for name, act := range map[string]func(*typeahead){
		"sent":    func(a *typeahead) { a.take() },
		"lost":    func(a *typeahead) { a.link(true) },
		"stopped": (*typeahead).stop,
	} {
		synctest.Test(t, func(t *testing.T) {
			a := newTypeahead()
			a.put(make([]byte, mostTyped))
			var kept, done bool
			go func() { kept = a.put([]byte("k")); done = true }()
			if synctest.Wait(); done {
				t.Errorf("%s: it does not wait", name)
			}
			act(a)
			if synctest.Wait(); !done || kept == (name == "lost") {
				t.Errorf("%s: done %v, kept %v", name, done, kept)
			}
		})
	}
}
