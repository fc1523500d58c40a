package mux

import (
	"fmt"
	"testing"
	"testing/synctest"

	"minissh/protocol"
)

// Of many RESIZE frames the application finds the last, and there are never too many (CH10).
func TestResizeNewestCounts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		look, seen := make(chan struct{}), make(chan protocol.Size, 2)
		s, p, _ := deaf(t, Config{Accept: func(c *Channel) {
			<-look
			seen <- <-c.Resizes()
			seen <- <-c.Resizes()
			<-c.Gone()
			c.Close(nil)
		}})
		p.send(open(1))
		for rows := range 1000 {
			p.send(msg(protocol.TypeResize, 1, fmt.Sprintf(`{"rows":%d,"cols":80}`, rows)))
		}
		synctest.Wait()
		close(look)
		if size := <-seen; size != (protocol.Size{Rows: 999, Cols: 80}) {
			t.Errorf("after 1,000 sizes the application found %+v", size)
		}
		p.send(msg(protocol.TypeResize, 1, `{"rows":5}`))
		if size := <-seen; size.Rows != 5 {
			t.Errorf("then %+v", size)
		}
		s.Close(nil)
	})
}
