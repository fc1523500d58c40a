package client

import (
	"fmt"

	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// answers are called, where they are not nil, for what the daemon tells beside the output.
type answers struct {
	opened func(*protocol.Opened) // the request was accepted
	held   func(*Outcome)         // the command has ended so, and what it left running holds its output (EX5)
}

// notices tells a person at a terminal what the daemon notices.
func (d *Dialer) notices(ch *mux.Channel, to answers) {
	for {
		select {
		case e := <-ch.Requests():
			d.notice(ch, e, to)
		case <-ch.Gone():
			for len(ch.Requests()) > 0 {
				d.notice(ch, <-ch.Requests(), to)
			}
			return
		}
	}
}

func (d *Dialer) notice(ch *mux.Channel, e mux.Event, to answers) {
	if o, ok := e.Message.(*protocol.Opened); ok && to.opened != nil {
		to.opened(o)
	}
	notice, ok := e.Message.(*protocol.Notice)
	switch {
	case !ok:
	case notice.Notice == protocol.NoticeOutputHeld:
		if to.held != nil {
			to.held(&Outcome{Exit: notice.Exit})
		}
	case notice.Notice == protocol.NoticeShuttingDown && d.interactive():
		begin, end := "", "\n"
		if to.opened != nil { // a shell's terminal is raw, and its cursor may be anywhere
			begin, end = "\r\n", "\r\n"
		}
		fmt.Fprintf(d.Messages, "%sminissh: minisshd on %s is being stopped; what runs there has %d s to end%s", begin, d.Options.Alias, min(max(notice.Grace, 0), 1e9)/1000, end)
	case notice.Notice == protocol.NoticeSignalRefused:
		d.debug("the signal was refused: %s", protocol.Quote(notice.Message))
	case notice.Notice == protocol.NoticePTYRefused:
		d.say(options.LevelError, "PTY allocation request failed on channel %d: %s", ch.ID(), protocol.Quote(notice.Message))
	}
}

// sayHeld tells a person why we wait although the command has ended, and the way out where there is a keyboard for it.
func (d *Dialer) sayHeld() {
	if !d.interactive() {
		return
	}
	text := "minissh: the command has ended, but something that it left running still holds its output"
	if d.hearsCtrlC() {
		text += "; Ctrl-C ends minissh and leaves that running"
	}
	fmt.Fprintln(d.Messages, text)
}
