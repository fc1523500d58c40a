package mux

import "minissh/protocol"

// Announce sends a NOTICE on every channel that the peer opened and that has had OPENED but not
// EXIT. It returns how many channels the session has in all, and waits for nothing.
func (s *Session) Announce(notice *protocol.Notice) (channels int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, c := range s.channels {
		if c.ours || !c.opened || c.exited || c.writable() != nil {
			continue
		}
		frame, err := protocol.AppendMessage(nil, protocol.TypeNotice, id, notice)
		if is, _ := requestOf(protocol.TypeNotice, notice); err == nil && !c.told(is, frame) {
			c.send(is, frame)
		}
	}
	return len(s.channels)
}
