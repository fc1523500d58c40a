package run

import "sync"

// mostTyped is how much of what was typed may wait to be sent, in bytes. The keyboard is read even
// while the other side takes nothing, so that an escape always works.
const mostTyped = 1 << 20

// typeahead is what was typed and is not sent yet. One goroutine puts, another takes.
type typeahead struct {
	mu      sync.Mutex // guards the rest
	changed sync.Cond
	keys    []byte
	sending bool // what was taken is on its way
	lost    bool // nothing can be sent now
	ended   bool // nothing more comes
	stopped bool // nobody waits any more
	refused bool // something was, since the link was lost
}

func newTypeahead() *typeahead {
	t := new(typeahead)
	t.changed.L = &t.mu
	return t
}

// put keeps keys to be sent. Where no more may wait, it waits itself, but not for a lost link: then
// it refuses them, since the escapes after them must be read.
func (t *typeahead) put(keys []byte) (kept bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.keys) > 0 && len(t.keys)+len(keys) > mostTyped && !t.lost && !t.stopped {
		t.changed.Wait()
	}
	switch {
	case t.stopped: // nobody wants them
		return true
	case len(t.keys)+len(keys) > mostTyped:
		t.refused = true
		return false
	}
	t.keys = append(t.keys, keys...)
	t.changed.Broadcast()
	return true
}

// take waits for keys; nil: no more come. The caller has sent those of the last call.
func (t *typeahead) take() (keys []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sending = false
	for len(t.keys) == 0 && !t.ended {
		t.changed.Wait()
	}
	keys, t.keys, t.sending = t.keys, nil, len(t.keys) > 0
	t.changed.Broadcast()
	return keys
}

// empty says whether everything that was typed has been sent.
func (t *typeahead) empty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.keys) == 0 && !t.sending
}

// end says that nothing more comes, stop that nobody waits for room any more.
func (t *typeahead) end()  { t.set(&t.ended, true) }
func (t *typeahead) stop() { t.set(&t.stopped, true) }

// link notes whether there is a link.
func (t *typeahead) link(lost bool) {
	t.set(&t.lost, lost)
	if !lost {
		t.set(&t.refused, false)
	}
}

// full says whether keys were refused since the link was lost.
func (t *typeahead) full() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refused
}

func (t *typeahead) set(what *bool, value bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*what = value
	t.changed.Broadcast()
}
