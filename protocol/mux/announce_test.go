package mux

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
)

// Announce speaks on the channels that can take a notice (CH4), and counts all.
func TestAnnounce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var mu sync.Mutex
		served := map[uint32]*Channel{}
		s := New(Config{Role: Daemon, Accept: func(c *Channel) {
			mu.Lock()
			served[c.ID()] = c
			mu.Unlock()
			<-c.Gone()
		}})
		p, _ := asDaemon(t, s, helloOf(nil))
		notice := &protocol.Notice{Notice: protocol.NoticeShuttingDown, Grace: 10000}
		if n := s.Announce(notice); n != 0 {
			t.Errorf("%d channels", n)
		}
		p.send(open(1), open(3), open(5))
		synctest.Wait()
		served[3].Send(protocol.TypeOpened, &protocol.Opened{})
		served[5].Send(protocol.TypeOpened, &protocol.Opened{})
		served[5].End(&protocol.Exit{How: protocol.HowExited, Code: new(int)})
		synctest.Wait()
		if n := s.Announce(notice); n != 3 {
			t.Errorf("%d channels", n)
		}
		synctest.Wait()
		p.want(protocol.TypeOpened, 3, "", "it was sent")
		p.want(protocol.TypeOpened, 5, "", "it was sent")
		p.want(protocol.TypeEOF, 5, "", "the command has ended")
		p.want(protocol.TypeEOF, 5, "", "the command has ended")
		p.want(protocol.TypeExit, 5, "", "the command has ended")
		p.want(protocol.TypeClose, 5, "", "the command has ended")
		p.want(protocol.TypeNotice, 3, `{"notice":"shutting_down","grace_ms":10000}`,
			"one was announced")
		p.wantSilence(time.Second, "channel 1 has no OPENED, and 5 has its EXIT")
		p.conn.Close()
	})
}
