package prompt

import (
	"context"
	"fmt"
	"time"

	"minissh/client/dial"
	"minissh/client/editor"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/protocol"
)

// What a user of the prompt sees and can do while the link is lost: at the prompt a note below the
// line that is edited; typing goes on, and a line that is entered waits for the link. For a line
// that runs there are messages, and Ctrl-C gives it up.

// watchLink has the runner told of lost links.
func (r *runner) watchLink() {
	if r.notes == nil { // nothing is edited
		r.conn.Watch(func(loss *dial.Loss) {
			r.conn.Announce(loss)
			r.lost(loss)
		})
		return
	}
	told := false // of a loss, in a message
	lines := dial.Announcer(r.conn.Options.Alias, "Ctrl-C gives the line up", func(line string) {
		say := r.announces(told)
		if say {
			r.conn.Messages.Say(options.LevelInfo, "%s", line)
		}
		told = r.down.Load() && (told || say)
	})
	r.conn.Watch(func(loss *dial.Loss) {
		r.lost(loss)
		lines(loss)
		if loss == nil {
			r.note("")
			return
		}
		time.AfterFunc(dial.Quiet-time.Since(loss.Since), func() { r.tellLoss(loss) })
	})
}

// announces says whether there is a message when the link is lost, or is back after a message
// (told). It is for those who wait for a line: while one is edited there is the note.
func (r *runner) announces(told bool) bool { return r.running() && (r.down.Load() || told) }

// tellLoss notes since when the link is lost, again and again until it is back.
func (r *runner) tellLoss(loss *dial.Loss) {
	if r.conn.Lost() != loss || r.conn.Session.Err() != nil {
		return
	}
	host := r.conn.Options.Alias
	note := fmt.Sprintf("link to %s lost %s ago; what you enter waits for it", host,
		protocol.InWords(time.Since(loss.Since)))
	if refused := loss.Refused(host); refused != "" {
		note = refused + "; " + note
	}
	r.note(note)
	time.AfterFunc(time.Second, func() { r.tellLoss(loss) })
}

// note shows a note at the prompt, in place of the one before.
func (r *runner) note(text string) {
	if r.conn.Options.LogLevel <= options.LevelQuiet {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.notes:
	default:
	}
	r.notes <- text // holds one, and whoever puts something in holds mu
}

// running says whether a line runs.
func (r *runner) running() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ch != nil
}

// lost notes that the link is lost, or back (nil). A line that the user wants to end is given up
// soon, unless the link comes back.
func (r *runner) lost(loss *dial.Loss) {
	if r.down.Store(loss != nil); loss == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.interrupted && r.ch != nil {
		r.giveUpSoon(r.gaveUp)
	}
}

// giveUpSoon gives a line up if its link is lost still, or again, in a moment. gaveUp is the
// line's.
func (r *runner) giveUpSoon(gaveUp chan struct{}) {
	time.AfterFunc(run.Farewell, func() {
		lost := r.conn.Lost() != nil
		r.mu.Lock()
		defer r.mu.Unlock()
		if lost && r.gaveUp == gaveUp {
			r.giveUp()
		}
	})
}

// giveUp has Run return. The caller holds mu.
func (r *runner) giveUp() {
	select {
	case <-r.gaveUp:
	default:
		close(r.gaveUp)
	}
}

// given is what Run returns for a line that was given up.
func (r *runner) given() error {
	r.mu.Lock()
	ch := r.ch
	r.mu.Unlock()
	if ch.Withdraw() {
		return &editor.LineError{Err: report.Failed(nil, "", "the line was not sent")}
	}
	ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	return &editor.LineError{Err: report.Failed(nil, "", "given up; %s learns that when the link "+
		"is back. If it does not come back, the line is stopped at the latest when the session "+
		"has been without one for %s", r.conn.Options.Alias,
		protocol.ExactlyInWords(r.conn.Hold()))}
}

// unanswered is done when ctx is, and the link is lost then, or soon after that.
func (r *runner) unanswered(ctx context.Context) (<-chan struct{}, func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		if r.conn.Lost() == nil {
			<-time.After(run.Farewell)
		}
		if r.conn.Lost() != nil {
			close(done)
		}
	})
	return done, func() { stop() }
}
