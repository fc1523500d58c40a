package mux

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"

	"minissh/protocol"
)

// What a sink takes and what Next gives are together everything, once and in order: the sink gets
// only what is small, and only while Next waits and nothing waits for it. Credit is granted for
// both.
func TestSink(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 1)
		s := New(Config{Role: Daemon, Accept: func(c *Channel) { made <- c; <-c.Gone() }})
		p, accepted := asDaemon(t, s, helloOf(nil))
		p.send(open(1))
		c := <-made
		var sunk, taken bytes.Buffer
		room := 3
		c.Sink(func(kind protocol.Type, p []byte) int {
			if kind != protocol.TypeStdin || len(p) > fewBytes {
				t.Errorf("the sink gets %d bytes of %v", len(p), kind)
			}
			n := min(room, len(p))
			sunk.Write(p[:n])
			return n
		})

		p.send(msg(protocol.TypeStdin, 1, "ab")) // nobody takes anything yet
		synctest.Wait()
		go func() {
			buf := make([]byte, 4096)
			for {
				e, err := c.Next(buf)
				taken.Write(buf[:e.N])
				if e.EOF {
					taken.WriteString(".")
				}
				if err == io.EOF {
					return
				}
			}
		}()
		synctest.Wait()
		for _, piece := range []string{"cd", "efgh", "ij"} {
			p.send(msg(protocol.TypeStdin, 1, piece))
			synctest.Wait()
		}
		if sunk.String() != "cdefgij" || taken.String() != "abh" {
			t.Errorf("the sink has %q, Next gave %q", &sunk, &taken)
		}
		sunk.Reset()
		taken.Reset()

		p.send(data(protocol.TypeStdin, 1, fewBytes+1))
		synctest.Wait()
		if sunk.Len() != 0 || taken.Len() != fewBytes+1 {
			t.Errorf("of a large piece the sink has %d bytes, Next gave %d", sunk.Len(),
				taken.Len())
		}
		taken.Reset()

		room = fewBytes
		const many = protocol.InitialWindow / fewBytes // more than the window has left
		for range many {
			p.send(data(protocol.TypeStdin, 1, fewBytes))
			synctest.Wait()
		}
		if f := p.want(protocol.TypeWindow, 1, "",
			"half of the window was taken"); f.Number() <= protocol.InitialWindow {
			t.Error(f.Number())
		}
		p.send(ended(protocol.TypeStdin, 1))
		synctest.Wait()
		if sunk.Len() != many*fewBytes || taken.String() != "." {
			t.Errorf("the sink has %d bytes of %d, Next gave %q", sunk.Len(), many*fewBytes, &taken)
		}
		p.send(shut(1), msg(protocol.TypeGoodbye, 0, "{}"))
		must(t, <-accepted)
		s.Wait()
	})
}
