package mux

import "time"

// Traffic is what has passed in a session so far.
type Traffic struct {
	In, Out int64     // bytes of frames, headers included, over all links
	Last    time.Time // when the last session frame came or went; zero: never
	Waiting *Waiting  // a daemon's, while it has no link; constant
	Ended   bool      // it is over
}

// Traffic says what has passed so far. Signs of life and acknowledgements count among the bytes,
// but not for Last.
func (s *Session) Traffic() Traffic {
	t := Traffic{In: s.in.Load(), Out: s.out.Load()}
	if last := s.active.Load(); last != 0 {
		t.Last = time.Unix(0, last)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t.Waiting, t.Ended = s.waiting, s.ended != nil
	return t
}

// Label is the one in Config.
func (s *Session) Label() any { return s.cfg.Label }
