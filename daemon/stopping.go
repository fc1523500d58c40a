package daemon

import (
	"sync"

	"minissh/protocol"
	"minissh/protocol/mux"
)

// stoppingReason is what every client is told in the end.
func stoppingReason() *protocol.Reason {
	return &protocol.Reason{Code: protocol.CodeShuttingDown, Message: "minisshd is being stopped"}
}

// announceStop tells every client at once that the daemon is being stopped (SE11): on each channel by a notice, with the
// time that is left; a session without channels, which has nothing to wait for, by its end. closing are those ends.
func (s *Server) announceStop(entries []mux.Entry, closing *sync.WaitGroup) {
	notice := &protocol.Notice{Notice: protocol.NoticeShuttingDown, Grace: s.opts.ShutdownGrace.Milliseconds()}
	for _, entry := range entries {
		if entry.Session.Announce(notice) == 0 {
			closing.Go(func() { entry.Session.Close(stoppingReason()) })
		}
	}
}
