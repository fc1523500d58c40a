package run

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/terminal"
	"minissh/protocol"
)

// What a user of a shell sees and can do while the link is lost.

// The other side sees a window of another size for redrawPause, so that a program notices it, and
// for longer while nothing is drawn: a program may be slow.
const (
	redrawPause = 300 * time.Millisecond
	redrawMost  = 3 * time.Second
)

// keysFirst is how long after the link's return a program is asked to draw: the keys that were kept
// have reached it by then. Some, less(1) for one, lose a key that comes together with another size.
const keysFirst = 200 * time.Millisecond

// watchLink has itself told of lost links until end is called.
func (s *Shell) watchLink() (end func()) {
	lines := func(*dial.Loss) {}
	if m := s.conn.Messages; s.stdout.modes == nil || !m.Interactive() {
		giveUp := ""
		if m.Interactive() {
			giveUp = s.givesUp() + " gives up"
		}
		lines = dial.Announcer(s.conn.Options.Alias, giveUp, func(line string) {
			m.Say(options.LevelInfo, "%s", line)
		})
	}
	s.conn.Watch(func(loss *dial.Loss) {
		s.lost.Store(loss)
		s.typed.link(loss != nil)
		lines(loss)
		s.look()
	})
	return func() { s.conn.Watch(func(*dial.Loss) {}) }
}

// look has tellLoss look again.
func (s *Shell) look() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// tellLoss shows that the link is lost, over the screen, and takes that away again.
func (s *Shell) tellLoss(stop <-chan struct{}) {
	if s.stdout.modes == nil || s.conn.Options.LogLevel <= options.LevelQuiet {
		return // there is no screen, or nobody wants to know
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-stop:
			s.stdout.hide()
			return
		case <-s.changed:
		case <-timer.C:
		}
		loss := s.lost.Load()
		switch {
		case loss == nil:
			s.stdout.hide()
			if s.stdout.spoilt() {
				time.AfterFunc(keysFirst, func() {
					select {
					case s.redraw <- struct{}{}:
					default:
					}
				})
			}
		case s.stopping.Load(): // the screen is the local shell's
			s.stdout.hide()
		default:
			wait := dial.Quiet - time.Since(loss.Since)
			if wait <= 0 {
				size := s.local.Size()
				s.stdout.show(s.lossInWords(loss, int(size.Cols)-1), size)
				wait = time.Second
			}
			timer.Reset(wait)
		}
	}
}

// givesUp is what to type to give up, as long as the user may type it.
func (s *Shell) givesUp() string {
	switch {
	case s.refused.Load():
		return "Ctrl-C"
	case s.escape.Char < 0 || s.keys == nil:
		return "SIGTERM"
	}
	return "Enter " + s.escape.Name() + "."
}

// lossInWords is the line about a lost link. On a narrow screen its end is cut off, and the host's
// name is shorter.
func (s *Shell) lossInWords(loss *dial.Loss, columns int) string {
	keys := "keys are kept"
	if s.typed.full() {
		keys = "no more keys are kept"
	}
	host, ago, giveUp := s.conn.Options.Alias, protocol.InWords(time.Since(loss.Since)), s.givesUp()
	if refused := loss.Refused(host); refused != "" {
		return fmt.Sprintf("minissh: %s gives up; %s; link lost %s ago; %s", giveUp, refused, ago,
			keys)
	}
	line := func(host string) string {
		return fmt.Sprintf("minissh: link to %s lost %s ago; %s gives up; %s", host, ago, giveUp,
			keys)
	}
	if over := terminal.Columns(line(host)) - columns; over > 0 {
		host = cut(host, max(20, terminal.Columns(host)-over))
	}
	return line(host)
}

// drawing is a wait until the other side has drawn its screen again. nil: there is none.
type drawing struct {
	before int32 // how often the other side had
	begun  time.Time
	tick   *time.Ticker
}

// askToDraw asks the other side to draw its screen again, by a size of the window that differs for
// a while. Only watch calls it.
func (s *Shell) askToDraw() *drawing {
	size := s.size
	if size.Rows--; !size.Valid() {
		return nil
	}
	d := &drawing{s.stdout.wrote.Load(), time.Now(), time.NewTicker(redrawPause)}
	s.ch.Send(protocol.TypeResize, &size)
	s.size = size
	return d
}

// ticks says when to look whether it is over.
func (d *drawing) ticks() <-chan time.Time {
	if d == nil {
		return nil
	}
	return d.tick.C
}

// over says whether the window may have its size again.
func (d *drawing) over(written int32) bool {
	if written == d.before && time.Since(d.begun) < redrawMost {
		return false
	}
	d.tick.Stop()
	return true
}

// refuse rings the bell for keys that were not kept.
func (s *Shell) refuse() {
	if s.conn.Messages.Interactive() {
		io.WriteString(s.conn.Messages, "\a")
	}
}

// onRaw is how messages are written on a terminal in raw mode, and outside of our own line.
func (s *Shell) onRaw(p []byte) []byte {
	s.stdout.hide()
	if s.refused.Load() {
		return p
	}
	return bytes.ReplaceAll(bytes.ReplaceAll(p, []byte("\r\n"), []byte("\n")), []byte("\n"),
		[]byte("\r\n"))
}

// Untold says what becomes of a command of which the daemon cannot be told that nobody wants it any
// more, since the link is lost; "" if it can.
func Untold(conn *dial.Connection) string {
	if conn.Lost() == nil {
		return ""
	}
	return untold(conn)
}

func untold(conn *dial.Connection) string {
	return fmt.Sprintf("the link is lost, and %s cannot be told: %s", conn.Options.Alias,
		stopsLater(conn))
}

// unsure says the same of a daemon that was told, and does not answer: the link may be lost. "": a
// session without a link is not kept.
func unsure(conn *dial.Connection) string {
	if conn.Hold() == 0 {
		return ""
	}
	return fmt.Sprintf("%s does not answer, and may not have been told: %s", conn.Options.Alias,
		stopsLater(conn))
}

func stopsLater(conn *dial.Connection) string {
	return fmt.Sprintf("what runs there is stopped at the latest when its session has been "+
		"without a link for %s; there, minisshd end stops it sooner",
		protocol.ExactlyInWords(conn.Hold()))
}
