package cp

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"minissh/client/dial"
	"minissh/protocol"
)

// Follow shows when a connection has lost its link: in place of the bar, or in lines.
func (v *View) Follow(conn *dial.Connection) {
	conn.Watch(func(loss *dial.Loss) {
		if v.Screen == nil && !v.Quiet {
			conn.Announce(loss)
		}
		v.link(conn, loss)
	})
}

// link notes that a connection has lost its link, or has it back (nil).
func (v *View) link(conn *dial.Connection, loss *dial.Loss) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if loss == nil {
		delete(v.lost, conn)
		v.showLoss()
		return
	}
	if v.lost == nil {
		v.lost = map[*dial.Connection]*dial.Loss{}
	}
	again := v.lost[conn] != nil // an attempt was refused
	if v.lost[conn] = loss; again {
		return
	}
	time.AfterFunc(dial.Quiet-time.Since(loss.Since), v.tellLoss)
}

// tellLoss shows since when a link is lost, again and again until none is.
func (v *View) tellLoss() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.showLoss() {
		time.AfterFunc(time.Second, v.tellLoss)
	}
}

// showLoss shows the link that has been lost for longest, and says whether one is. The caller holds
// mu.
func (v *View) showLoss() bool {
	b := v.progress()
	if b == nil || v.ended {
		return false
	}
	b.instead = ""
	var longest *dial.Loss
	for conn, loss := range v.lost {
		ago := time.Since(loss.Since)
		if ago >= dial.Quiet && (longest == nil || loss.Since.Before(longest.Since)) {
			longest = loss
			host := printable(conn.Options.Alias)
			b.instead = fmt.Sprintf("link to %s lost %s ago; Ctrl-C gives up", host,
				protocol.InWords(ago))
			if refused := loss.Refused(host); refused != "" {
				b.instead = "Ctrl-C gives up; " + refused
			}
		}
	}
	if longest != nil || b.drawn {
		b.draw(time.Now())
	}
	return longest != nil
}

// untold says which hosts cannot be told that the user gave up; "" if all can.
func (v *View) untold() (text string) {
	v.mu.Lock()
	lost := slices.Collect(maps.Keys(v.lost))
	v.mu.Unlock()
	for _, conn := range lost { // without mu: the connection may be telling of a loss
		text += fmt.Sprintf("; the link to %s is lost: there, the copy ends at the latest when "+
			"its session has been without one for %s", conn.Options.Alias,
			protocol.ExactlyInWords(conn.Hold()))
	}
	return text
}
