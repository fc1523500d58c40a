package run

import (
	"fmt"
	"time"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Answers are called, if not nil, for what the daemon says besides the output.
type Answers struct {
	Opened func(*protocol.Opened) // the request was accepted
	// the command has ended so, and what it left running holds its output (EX5)
	Held func(*Outcome)
	// a line's program asks for the terminal that the line has not got (LI4)
	Asks func()
}

// Notices shows a person at a terminal what the daemon notices, until the channel is gone.
func Notices(conn *dial.Connection, ch *mux.Channel, to Answers) {
	for {
		select {
		case e := <-ch.Requests():
			notice(conn, ch, e, to)
		case <-ch.Gone():
			for len(ch.Requests()) > 0 {
				notice(conn, ch, <-ch.Requests(), to)
			}
			return
		}
	}
}

func notice(conn *dial.Connection, ch *mux.Channel, e mux.Event, to Answers) {
	if o, ok := e.Message.(*protocol.Opened); ok && to.Opened != nil {
		to.Opened(o)
	}
	m := conn.Messages
	notice, ok := e.Message.(*protocol.Notice)
	switch {
	case !ok:
	case notice.Notice == protocol.NoticeOutputHeld:
		if to.Held != nil {
			to.Held(&Outcome{Exit: notice.Exit})
		}
	case notice.Notice == protocol.NoticeWantsTerminal:
		if to.Asks != nil {
			to.Asks()
		}
	case notice.Notice == protocol.NoticeShuttingDown && m.Interactive():
		begin, end := "", "\n"
		if to.Opened != nil { // a shell's terminal is raw, and its cursor may be anywhere
			begin, end = "\r\n", "\r\n"
		}
		grace := time.Duration(min(max(notice.Grace, 0), 1e9)) * time.Millisecond
		fmt.Fprintf(m, "%sminissh: minisshd on %s is being stopped; what runs there has %s to "+
			"end%s", begin, conn.Options.Alias, protocol.InWords(grace), end)
	case notice.Notice == protocol.NoticeSignalRefused:
		m.Debug("the signal was refused: %s", protocol.Quote(notice.Message))
	case notice.Notice == protocol.NoticeOutputDropped:
		end := "\n"
		if to.Opened != nil {
			end = "\r\n"
		}
		if conn.Options.LogLevel >= options.LevelError {
			fmt.Fprintf(m, "minissh: a gap in the job's output: %s%sminissh: hint: a job "+
				"that is started with --spool-wait waits instead when its output has no room%s",
				protocol.Quote(notice.Message), end, end)
		}
	case notice.Notice == protocol.NoticePTYRefused:
		m.Say(options.LevelError, "PTY allocation request failed on channel %d: %s", ch.ID(),
			protocol.Quote(notice.Message))
	}
}

// sayHeld says why we wait although the command has ended, and the way out if there is a keyboard
// for it: not after -f, nor in a shell's background.
func sayHeld(m *report.Messages) {
	if !m.Interactive() {
		return
	}
	text := "minissh: the command has ended, but something that it left running still holds its " +
		"output"
	if terminal.InForeground(m.File()) {
		text += "; Ctrl-C ends minissh and leaves that running"
	}
	fmt.Fprintln(m, text)
}
