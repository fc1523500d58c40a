package record

import (
	"runtime"
	"testing"
	"time"
)

// far is so long that no stall of a machine is taken for it.
const far = 150

// A latency holds back the bytes, the handshake's answer and the FIN, each for its whole length.
func TestLatencyIsWaitedOut(t *testing.T) {
	_, fixed := play(t, helloWorld(func(s *Setting) { s.Framing, s.Latency = "ack", far }))
	const way = far * int64(time.Millisecond/time.Microsecond)
	sends, recvs, acks := of(fixed, KindSend), of(fixed, KindRecv), of(fixed, KindAck)
	if len(sends) != 4 || len(acks) != 2 || !fixed.Right || fixed.Latency != far {
		t.Fatalf("%d sends, %d acks, got %+v", len(sends), len(acks), fixed.Got)
	}
	// The relay holds back by the schedule, which begins at 0: whatever is late on a busy machine,
	// nothing is earlier.
	for i, a := range acks {
		trips := int64(i + 1)
		if a.At < trips*2*way || sends[2*i+1].At < a.At {
			t.Errorf("ack %d came after %d µs, and %d trips; %+v", i+1, a.At, trips, sends)
		}
	}
	if recvs[0].At < way {
		t.Errorf("the first recv was after %d µs", recvs[0].At)
	}
	if end := recvs[len(recvs)-1]; end.To != end.From || end.At < 5*way {
		t.Errorf("the end came after %d µs: %+v", end.At, end)
	}
	if len(fixed.Acks) > 0 {
		t.Errorf("the relay's own acknowledgements are recorded: %+v", fixed.Acks)
	}
}

// What was sent in one moment arrives in one, and what was sent apart arrives apart: the latency
// leaves nothing to chance.
func TestLatencyKeepsTheSchedule(t *testing.T) {
	for range 5 {
		broken, _ := play(t, helloWorld(func(s *Setting) { s.Latency = 20 }))
		if r := of(broken, KindRecv); len(r) != 2 || r[0].To != 10 {
			t.Errorf("two at once: recvs %+v", r)
		}
		broken, _ = play(t, helloWorld(func(s *Setting) { s.Latency, s.Gap = 20, 10 }))
		if r := of(broken, KindRecv); len(r) != 3 || r[0].To != 5 || !broken.Right {
			t.Errorf("a gap: recvs %+v", r)
		}
		broken, _ = play(t, helloWorld(func(s *Setting) { s.Latency, s.Gap, s.Delay = 20, 10, 30 }))
		if r := of(broken, KindRecv); len(r) != 2 || broken.Right {
			t.Errorf("a gap, and a reader that is later: recvs %+v", r)
		}
	}
}

// Nagle waits for the acknowledgement, the receiving system delays it: seen in what TCP told.
func TestNagleWaitsForTheDelayedAck(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not run: needs Linux, which tells about acknowledgements")
	}
	nagle, nodelay := play(t, helloWorld(func(s *Setting) { s.Framing = "none" }))
	segments := of(nagle, KindSegment)
	if len(segments) != 2 || len(nagle.Acks) == 0 || nagle.Acks[0].To < 5 ||
		nagle.Acks[0].Since > segments[1].At {
		t.Fatalf("segments %+v, acks %+v", segments, nagle.Acks)
	}
	// Linux: 40 ms, less what has passed of them by its clock's ticks
	if wait := segments[1].At - segments[0].At; wait < 20_000 {
		t.Errorf("the second segment left after %d µs", wait)
	}
	if s := of(nodelay, KindSegment); s[len(s)-1].At-s[0].At >
		segments[1].At-segments[0].At {
		t.Errorf("without Nagle: segments %+v", s)
	}
}

// A reader that is late, and small buffers: the window closes, send waits, and both end with the
// first recv.
func TestAFullWindow(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not run: needs Linux, which tells about windows")
	}
	broken, fixed := play(t, helloWorld(func(s *Setting) {
		s.Messages, s.Buffers, s.Delay, s.Recv = []int{4096, 4096, 4096, 4096}, 4096, 200, 4096
	}))
	for _, tr := range []*Trace{broken, fixed} {
		first := of(tr, KindRecv)[0].At
		full := false
		for _, a := range tr.Acks {
			full = full || a.Window == 0 && a.At < first
		}
		if !full {
			t.Errorf("%s: the window never closed: %+v", tr.Name, tr.Acks)
		}
		waits := of(tr, KindBlock)
		if len(waits) == 0 {
			t.Fatalf("%s: no send waited", tr.Name)
		}
		done := false
		for _, e := range of(tr, KindSend) {
			done = done || e.Since > 0 && e.Since < first && e.At > first
		}
		if !done {
			t.Errorf("%s: no send waited for the reader: %+v", tr.Name, of(tr, KindSend))
		}
	}
}
