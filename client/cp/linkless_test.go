package cp

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/files"
)

// The bar says that a link is lost, after a while and each second; when it is back the bar goes on
// with the same numbers.
func TestBarWithoutLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		v := &View{bar: &bar{out: &out, width: func() int { return 80 }}}
		last := func() string {
			synctest.Wait()
			v.mu.Lock()
			defer v.mu.Unlock()
			return out.String()[strings.LastIndex(out.String(), "\x1b[K")+len("\x1b[K"):]
		}
		conn := &dial.Connection{Options: &options.Options{Alias: "box"}}
		v.Watch(files.Event{What: files.EventTotal, Size: 4 << 20})
		v.Watch(files.Event{What: files.EventBytes, Size: 1 << 20})
		before := last()
		v.link(conn, &dial.Loss{Since: time.Now()})
		<-time.After(dial.Quiet - time.Millisecond)
		if got := last(); got != before {
			t.Errorf("too early: %q", got)
		}
		<-time.After(3 * time.Second)
		if got := last(); got != "link to box lost 4 seconds ago; Ctrl-C gives up" {
			t.Errorf("%q", got)
		}
		v.link(conn, &dial.Loss{Since: time.Now().Add(-4 * time.Second),
			Refusal: &protocol.RemoteError{Reason: protocol.Reason{
				Code: protocol.CodeTooManySessions, Message: "full"}}})
		<-time.After(time.Second)
		if got := last(); got != "Ctrl-C gives up; box refused to take the session back: "+
			`"full"; trying on` {
			t.Errorf("%q", got)
		}
		if said := v.untold(); !strings.HasPrefix(said, "; the link to box is lost: there, ") {
			t.Errorf("%q", said)
		}
		v.link(conn, nil)
		if got := last(); !strings.Contains(got, " 25% |") || !strings.Contains(got,
			"1.0 MiB of 4.0 MiB") {
			t.Errorf("%q", got)
		}
		if said := v.untold(); said != "" {
			t.Errorf("%q", said)
		}
		v.link(conn, &dial.Loss{Since: time.Now()})
		v.End(time.Second, true)
		out.Reset()
		<-time.After(5 * time.Second)
		if out.Len() > 0 {
			t.Errorf("after the end: %q", out.String())
		}
	})
}
