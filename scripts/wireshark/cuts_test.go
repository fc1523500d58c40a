//go:build unix

package wireshark_test

import (
	"fmt"
	"slices"
	"testing"
)

// compare looks at every direction of every connection of a capture: all of them carried the same
// conversation.
func compare(t *testing.T, c *capture, names map[int]string, port int, args ...string) {
	t.Helper()
	fromClient, fromServer := talk()
	got := seen(fields(t, c.write(t), frameFields, args...), port)
	for id := range c.streams {
		same(t, names[id]+", client", got[way{id, true}], said(t, fromClient))
		same(t, names[id]+", server", got[way{id, false}], said(t, fromServer))
	}
}

// N frames are shown as N wherever TCP cuts them: in a length, a header, JSON, a character of
// several bytes.
func TestEveryCut(t *testing.T) {
	t.Parallel()
	fromClient, fromServer := talk()
	c, names := newCapture(), map[int]string{}
	for cut := 1; cut < max(len(fromClient), len(fromServer)); cut++ {
		s := c.connect(plainPort)
		names[s.id] = fmt.Sprintf("cut at %d", cut)
		for side, all := range [][]byte{fromClient, fromServer} {
			at := min(cut, len(all)-1)
			s.send(side, all[:at], all[at:])
		}
		s.end()
	}
	compare(t, c, names, plainPort)
}

// The same for segments of every size, one byte at least, and all in one; and for what networks do
// to segments.
func TestEverySegmentation(t *testing.T) {
	t.Parallel()
	fromClient, fromServer := talk()
	both := [][]byte{fromClient, fromServer}
	c, names := newCapture(), map[int]string{}
	begin := func(name string) *stream {
		s := c.connect(plainPort)
		names[s.id] = name
		return s
	}
	for _, size := range []int{1, 2, 3, 5, 7, 11, 12, 13, 24, 64, 100, 1000} {
		s := begin(fmt.Sprintf("segments of %d", size))
		for side, all := range both {
			s.send(side, slices.Collect(slices.Chunk(all, size))...)
		}
		s.end()
	}
	s := begin("taking turns, one byte at a time")
	for i := range max(len(fromClient), len(fromServer)) {
		for side, all := range both {
			if i < len(all) {
				s.send(side, all[i:i+1])
			}
		}
	}
	s.end()
	const piece = 30
	s = begin("each segment sent twice")
	for side, all := range both {
		for part := range slices.Chunk(all, piece) {
			s.send(side, part)
			s.at(side, s.next[side]-uint32(len(part)), part)
		}
	}
	s.end()
	s = begin("each segment sent again together with the next")
	for side, all := range both {
		start := s.next[side]
		for end := 0; end < len(all); end += piece {
			s.at(side, start+uint32(max(0, end-piece)),
				all[max(0, end-piece):min(end+piece, len(all))])
		}
		s.next[side] = start + uint32(len(all))
	}
	s.end()
	s = begin("neighbours swapped")
	for side, all := range both {
		start := s.next[side]
		for at := 0; at < len(all); at += 2 * piece {
			middle, end := min(at+piece, len(all)), min(at+2*piece, len(all))
			if end > middle {
				s.at(side, start+uint32(middle), all[middle:end])
			}
			s.at(side, start+uint32(at), all[at:middle])
		}
		s.next[side] = start + uint32(len(all))
	}
	s.end()
	compare(t, c, names, plainPort)
	// as Wireshark itself reads: a second time, knowing the end
	compare(t, c, names, plainPort, "-2")
}
