package daemon

import (
	"errors"
	"slices"

	"minissh/daemon/process"
	"minissh/protocol"
)

// signal acts on SIGNAL (EX3). For a command that has ended it does nothing, although its process group or its kernel session may have living members: what it
// left running is not the client's to end any more (RULES C1).
func (c *command) signal(name string) {
	select {
	case <-c.p.Done():
		if slices.Contains(process.SignalNames(), name) {
			return
		}
	default:
	}
	if err := c.p.Signal(name); errors.Is(err, process.ErrUnknownSignal) {
		c.ch.Send(protocol.TypeNotice, &protocol.Notice{Notice: protocol.NoticeSignalRefused, Message: err.Error()})
	}
}

// noticeHeld tells that only the output is waited for now, with the outcome (EX5) unless its directories are too long for a NOTICE.
func (c *command) noticeHeld() {
	held := protocol.Notice{Notice: protocol.NoticeOutputHeld, Exit: c.exit()}
	if c.ch.Send(protocol.TypeNotice, &held) != nil {
		held.Exit = nil
		c.ch.Send(protocol.TypeNotice, &held)
	}
}
