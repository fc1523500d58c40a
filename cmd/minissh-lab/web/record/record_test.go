package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"minissh/protocol/testend"
)

// TestMain looks for goroutines of this package that outlive the tests.
func TestMain(m *testing.M) { testend.Main(m) }

// helloWorld is the setting that others differ from.
func helloWorld(change func(*Setting)) Setting {
	s := Setting{Messages: []int{5, 5}, Recv: 1024, NoDelay: true, Framing: "simple",
		Text: "letters"}
	if change != nil {
		change(&s)
	}
	return s
}

func play(t *testing.T, s Setting) (broken, fixed *Trace) {
	t.Helper()
	traces, err := Run(t.Context(), s)
	if err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	for _, tr := range traces {
		checkTrace(t, tr)
	}
	if t.Failed() {
		text, _ := json.MarshalIndent(traces, "", " ")
		t.Logf("%s", text)
	}
	return traces[0], traces[1]
}

// checkTrace is what holds for every run: sends and recvs cover the stream in order,
// segments too where they are known, and the fields label each byte once.
func checkTrace(t *testing.T, tr *Trace) {
	t.Helper()
	at := map[string]int{}
	last := int64(0)
	segments, blocked := 0, 0
	for _, e := range tr.Events {
		if e.At < last {
			t.Errorf("%s: time runs backwards at %+v", tr.Name, e)
		}
		last = e.At
		switch e.Kind {
		case KindSend, KindSegment, KindRecv:
			if e.From != at[e.Kind] || e.To < e.From || e.To > len(tr.Bytes) {
				t.Errorf("%s: %+v does not go on at %d", tr.Name, e, at[e.Kind])
			}
			at[e.Kind] = e.To
			if e.Kind == KindRecv &&
				(e.To-e.From > e.Ask || e.Ready >= 0 && e.To-e.From != min(e.Ask, e.Ready)) {
				t.Errorf("%s: recv %+v", tr.Name, e)
			}
			segments += e.Count
		case KindBlock: // while it waits, the system takes more and more of it
			blocked = at[KindSend] + e.Ask
			if e.From != at[KindSend] || e.To >= blocked {
				t.Errorf("%s: %+v after %d", tr.Name, e, at[KindSend])
			}
		case KindBuffer:
			if e.From != at[KindRecv] || e.To > max(at[KindSend], blocked) {
				t.Errorf("%s: the buffer %+v holds what was never sent, or was read", tr.Name, e)
			}
		}
	}
	if at[KindSend] != len(tr.Bytes) || at[KindRecv] != len(tr.Bytes) {
		t.Errorf("%s: sent to %d, received to %d of %d", tr.Name, at[KindSend], at[KindRecv],
			len(tr.Bytes))
	}
	if tr.Segments >= 0 && (at[KindSegment] != len(tr.Bytes) || segments != tr.Segments) {
		t.Errorf("%s: %d segments to byte %d, want %d to %d", tr.Name, segments, at[KindSegment],
			tr.Segments, len(tr.Bytes))
	}
	place := 0
	for _, f := range tr.Fields {
		if f.From != place {
			t.Errorf("%s: field %+v does not begin at %d", tr.Name, f, place)
		}
		place = f.To
	}
	if place != len(tr.Bytes) {
		t.Errorf("%s: fields end at %d of %d", tr.Name, place, len(tr.Bytes))
	}
}

func of(tr *Trace, kind string) (events []Event) {
	for _, e := range tr.Events {
		if e.Kind == kind {
			events = append(events, e)
		}
	}
	return events
}

func TestReadingLateSticksAndAGapSeparates(t *testing.T) {
	for range 5 {
		broken, fixed := play(t, helloWorld(nil))
		if r := of(broken, KindRecv); len(r) != 2 || r[0].To != 10 || broken.Right ||
			len(broken.Got) != 1 || broken.Got[0].Text != `"helloworld"` {
			t.Errorf("late: recvs %+v, got %+v", r, broken.Got)
		}
		if !fixed.Right || len(fixed.Got) != 2 || fixed.Got[1].Text != `"world"` {
			t.Errorf("fixed: %+v", fixed.Got)
		}
		broken, _ = play(t, helloWorld(func(s *Setting) { s.Gap = 2 }))
		if r := of(broken, KindRecv); len(r) != 3 || r[0].To != 5 || !broken.Right {
			t.Errorf("gap: recvs %+v", r)
		}
		broken, _ = play(t, helloWorld(func(s *Setting) { s.Gap, s.Delay = 2, 10 }))
		if r := of(broken, KindRecv); len(r) != 2 || broken.Right {
			t.Errorf("a gap, and a reader that is later: recvs %+v", r)
		}
	}
}

func TestSegmentsAreThoseOfTheKernel(t *testing.T) {
	broken, fixed := play(t, helloWorld(nil))
	if runtime.GOOS != "linux" {
		if broken.Segments != -1 || len(of(broken, KindSegment)) != 0 {
			t.Error("segments are claimed to be known here")
		}
		return
	}
	if broken.Segments != 2 || fixed.Segments != 4 {
		t.Errorf("%d and %d segments, want 2 and 4: each send left at once", broken.Segments,
			fixed.Segments)
	}
	// Nagle: five bytes leave, the others wait for an ack, and leave together.
	nagle, nodelay := play(t,
		helloWorld(func(s *Setting) {
			s.Messages, s.Framing = []int{5, 5, 5, 5, 5, 5, 5, 5, 5, 5},
				"none"
		}))
	if nodelay.Segments != 10 || nodelay.Name != "nodelay" || len(of(nodelay, KindRecv)) != 2 {
		t.Errorf("without Nagle: %d segments, recvs %+v", nodelay.Segments, of(nodelay, KindRecv))
	}
	if segs := of(nagle, KindSegment); nagle.Segments >= 10 || segs[0].To != 5 ||
		len(of(nagle, KindRecv)) < 2 {
		t.Errorf("with Nagle: %+v", segs)
	}
}

// What the mended programs say of every text, and which of them it breaks.
func TestFramings(t *testing.T) {
	for _, framing := range Framings[1:] {
		if framing == "put" {
			continue // it has a message of its own: TestPut
		}
		for _, text := range Texts {
			for _, recv := range []int{1, 3, 1024} {
				if framing == "ultimate" {
					recv++ // 200 recvs are the limit
				}
				t.Run(fmt.Sprintf("%s %s %d", framing, text, recv), func(t *testing.T) {
					_, fixed := play(t,
						helloWorld(func(s *Setting) {
							s.Framing, s.Text, s.Recv,
								s.Messages = framing, text, recv, []int{7, 1, 12}
						}))
					want := framing != "delimiter" || text != "lines"
					if framing == "ack" && recv == 1 {
						want = false // one recv is taken for all digits of "12"
					}
					if fixed.Right != want {
						t.Errorf("right = %v, got %+v", fixed.Right, fixed.Got)
					}
				})
			}
		}
	}
}

func TestEmptyMessages(t *testing.T) {
	broken, fixed := play(t, helloWorld(func(s *Setting) { s.Messages = []int{0, 3, 0} }))
	if broken.Right || len(broken.Got) != 1 || len(of(broken, KindSend)) != 3 {
		t.Errorf("broken got %+v", broken.Got)
	}
	if !fixed.Right || len(fixed.Got) != 3 {
		t.Errorf("fixed got %+v", fixed.Got)
	}
}

// The ack is a real handshake: one for each message, and the data only after it.
func TestAckIsWaitedFor(t *testing.T) {
	_, fixed := play(t, helloWorld(func(s *Setting) { s.Framing, s.Delay = "ack", 5 }))
	acks := of(fixed, KindAck)
	if len(acks) != 2 || !fixed.Right {
		t.Fatalf("%d acks, got %+v", len(acks), fixed.Got)
	}
	sends := of(fixed, KindSend)
	if sends[1].At < acks[0].At || sends[3].At < acks[1].At || sends[2].At > acks[1].At {
		t.Errorf("acks %+v, sends %+v", acks, sends)
	}
}

// The second recv, which is taken for pwd's answer, is the rest of big: pwd's bytes come at the end
// of the third.
func TestLeftoverOfChapter12(t *testing.T) {
	broken, fixed := play(t, helloWorld(func(s *Setting) {
		s.Messages, s.Text = []int{3000, 14}, "output"
	}))
	if broken.Right || len(broken.Got) != 3 || !fixed.Right {
		t.Errorf("got %+v, and %+v", broken.Got, fixed.Got)
	}
	if r := of(broken, KindRecv); r[1].To != 2048 || r[2].To != 3014 {
		t.Errorf("recvs %+v", r)
	}
	if !bytes.HasPrefix(broken.Bytes, []byte("line 0000000001\nline 0000000002\n")) ||
		!bytes.HasSuffix(broken.Bytes, []byte("\nline 000/home/student\n")) {
		t.Errorf("%q … %q", broken.Bytes[:40], broken.Bytes[2980:])
	}
	if f := fixed.Fields[0]; f.Value != "3000" || f.Endian != "little" ||
		!bytes.Equal(fixed.Bytes[:4], []byte{0xb8, 0x0b, 0, 0}) {
		t.Errorf("%+v % x", f, fixed.Bytes[:4])
	}
}

// put sends command, length, header and file at once, and the first recv holds it all. With a
// length
// before the command, too, both come out.
func TestPut(t *testing.T) {
	broken, fixed := play(t, helloWorld(func(s *Setting) {
		s.Messages, s.Framing, s.Recv = []int{9, 11}, "put", 8096
	}))
	const header = `{"filename": "a.txt", "md5": "xxdxxx", "file_size": 11}`
	sent := "put a.txt" + string(rune(len(header))) + "\x00\x00\x00" + header + "hello world"
	if string(broken.Bytes) != sent || string(fixed.Bytes) != "\x09\x00\x00\x00"+sent {
		t.Errorf("sent %q and %q", broken.Bytes, fixed.Bytes)
	}
	if r := of(broken, KindRecv); len(of(broken, KindSend)) != 4 || r[0].To != len(sent) ||
		broken.Right || broken.Framing != NaivePut {
		t.Errorf("%s: recvs %+v, got %+v", broken.Framing, r, broken.Got)
	}
	if !fixed.Right || len(fixed.Got) != 2 || fixed.Got[0].Text != `"put a.txt"` ||
		fixed.Got[1].Text != `"hello world"` {
		t.Errorf("the mended one got %+v", fixed.Got)
	}
	for _, text := range Texts {
		for _, recv := range []int{2, 7, 1024} {
			_, fixed = play(t, helloWorld(func(s *Setting) {
				s.Messages, s.Framing, s.Recv, s.Text = []int{9, 90}, "put", recv, text
			}))
			if !fixed.Right {
				t.Errorf("%s, recv(%d): got %+v", text, recv, fixed.Got)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	for want, change := range map[string]func(*Setting){
		"messages":     func(s *Setting) { s.Messages = nil },
		"1 to 12":      func(s *Setting) { s.Messages = make([]int, 13) },
		"0 to 4096":    func(s *Setting) { s.Messages = []int{4097} },
		"0 to":         func(s *Setting) { s.Messages = []int{-1} },
		"recv(1)":      func(s *Setting) { s.Recv = 0 },
		"65536":        func(s *Setting) { s.Recv = 65537 },
		"more than":    func(s *Setting) { s.Messages, s.Recv = []int{4000}, 1 },
		"gap":          func(s *Setting) { s.Gap = 201 },
		"delay":        func(s *Setting) { s.Delay = -1 },
		"framing":      func(s *Setting) { s.Framing = "tls" },
		"latency":      func(s *Setting) { s.Latency = 301 },
		"buffers":      func(s *Setting) { s.Buffers = 100 },
		"or a latency": func(s *Setting) { s.Buffers, s.Latency = 4096, 1 },
		"it would wait": func(s *Setting) {
			s.Framing, s.Latency, s.Messages = "ack", 300, []int{1, 1, 1, 1, 1, 1, 1}
		},
		"text":         func(s *Setting) { s.Text = "" },
		"wait":         func(s *Setting) { s.Gap, s.Messages = 200, []int{1, 1, 1, 1, 1, 1, 1} },
		"two messages": func(s *Setting) { s.Framing = "put" },
		"which has 9":  func(s *Setting) { s.Framing, s.Messages = "put", []int{8, 3} },
		"at least 1 b": func(s *Setting) { s.Framing, s.Messages = "minissh", []int{0} },
	} {
		s := helloWorld(change)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		if _, err := Run(t.Context(), s); err == nil {
			t.Errorf("%s was run", want)
		}
	}
}
