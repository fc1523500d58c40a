package tape

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Main(m) }

// written is the file of a tape.
func written(t testing.TB, tape *Tape) []byte {
	t.Helper()
	var file bytes.Buffer
	w := NewWriter(&file, tape.Began(), "mine")
	events, _ := tape.From(0)
	w.Write(events)
	if w.Err() != nil {
		t.Fatal(w.Err())
	}
	return file.Bytes()
}

// show is an event without its time.
func show(e Event) string {
	if e.call() {
		return fmt.Sprintf("%d %s %s %d of %d", e.Conn, e.Kind, e.Way, e.Size, e.Ask)
	}
	return fmt.Sprintf("%d %s %s %q %d", e.Conn, e.Kind, e.Way, e.Data, e.Segments)
}

func TestFileGivesBackWhatWasRecorded(t *testing.T) {
	tape := New()
	one, two := tape.Connect(), tape.Connect()
	piece := []byte("ls\x00\xff\x1b[2J中")
	tape.Add(Event{Conn: one, Kind: Data, Way: Up, Data: piece, Segments: 1})
	piece[0] = 'X' // it is the tape's own by now
	tape.Add(Event{Conn: two, Kind: Refused})
	tape.Add(Event{Conn: one, Kind: End, Way: Up})
	tape.Add(Event{Conn: one, Kind: Data, Way: Down, Data: bytes.Repeat([]byte{0}, MaxPiece)})
	tape.Add(Event{Conn: one, Kind: Reset, Way: Down})
	tape.AddCalls([]Event{{Conn: one, At: 3, Kind: Send, Way: Up, Size: 2},
		{Conn: 9, At: 4, Kind: Send, Way: Up, Size: 2},
		{Conn: one, At: 5, Kind: Recv, Way: Up, Ask: 1024}})
	file := written(t, tape)
	h, events, err := Read(bytes.NewReader(file))
	if err != nil || h.Title != "mine" || h.Version != 1 || h.Began.IsZero() {
		t.Fatalf("%+v, %v", h, err)
	}
	want, _ := tape.From(0)
	if len(events) != len(want) {
		t.Fatalf("%d events, want %d", len(events), len(want))
	}
	for i := range want {
		if show(events[i]) != show(want[i]) || events[i].At != want[i].At {
			t.Errorf("%v, want %v", show(events[i]), show(want[i]))
		}
	}
	if n := len(want); n != 9 || show(want[n-1]) != "1 recv up 0 of 1024" || !tape.Closed() {
		t.Errorf("%d events, the last is %s", n, show(want[n-1]))
	}
	if show(want[2]) != `1 data up "ls\x00\xff\x1b[2J中" 1` {
		t.Errorf("the piece is %s", show(want[2]))
	}
	// A writer that was killed leaves half a line: what is whole is taken.
	if _, events, err := Read(bytes.NewReader(file[:len(file)-5])); err != nil ||
		len(events) != len(want)-1 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

// One direction may have a last piece when the other has had its reset.
func TestNothingAfterAReset(t *testing.T) {
	tape := New()
	n := tape.Connect()
	tape.Add(Event{Conn: n, Kind: Reset, Way: Up})
	tape.Add(Event{Conn: n, Kind: Data, Way: Down, Data: []byte("late")})
	tape.Add(Event{Conn: n, Kind: Reset, Way: Down})
	if events, _ := tape.From(0); len(events) != 2 {
		t.Errorf("%d events", len(events))
	}
	if _, _, err := Read(bytes.NewReader(written(t, tape))); err != nil {
		t.Error(err)
	}
}

// The bounds are those of the specification, and a run that has reached one can be opened.
func TestBoundsOfATape(t *testing.T) {
	for _, c := range []struct {
		what   string
		fill   func(*Tape)
		events int
	}{
		{"bytes", func(tape *Tape) {
			n, piece := tape.Connect(), make([]byte, 64<<10)
			for range 300 {
				tape.Add(Event{Conn: n, Kind: Data, Way: Up, Data: piece})
			}
		}, 1 + 256 + 1},
		{"events", func(tape *Tape) {
			n := tape.Connect()
			for range 100_500 {
				tape.Add(Event{Conn: n, Kind: Data, Way: Up, Data: []byte("x")})
			}
		}, 100_000},
		{"connections", func(tape *Tape) {
			for range 1001 {
				tape.Add(Event{Conn: tape.Connect(), Kind: Data, Way: Up, Data: []byte("x")})
			}
		}, 2*1000 + 1},
	} {
		tape := New()
		c.fill(tape)
		events, _ := tape.From(0)
		if len(events) != c.events || events[len(events)-1].Kind != Full {
			t.Errorf("%s: %d events, the last is %q", c.what, len(events),
				events[len(events)-1].Kind)
		}
		if tape.Connect() != 0 {
			t.Errorf("%s: a connection is recorded after it", c.what)
		}
		if _, again, err := Read(bytes.NewReader(written(t, tape))); err != nil ||
			len(again) != len(events) {
			t.Errorf("%s: %d events read, %v", c.what, len(again), err)
		}
	}
}

// Whoever follows gets everything once, in order, also what was there before it and what came
// while it was busy.
func TestFollow(t *testing.T) {
	tape := New()
	n := tape.Connect()
	got := make(chan string)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tape.Follow(func(events []Event) {
			for _, e := range events {
				got <- string(e.Data)
			}
		})
	}()
	if s := testend.Next(t, "an event", got); s != "" {
		t.Errorf("%q comes first", s)
	}
	for i := range 100 {
		tape.Add(Event{Conn: n, Kind: Data, Way: Up, Data: []byte{byte(i + 1)}})
	}
	for i := range 100 {
		if s := testend.Next(t, "an event", got); s != string([]byte{byte(i + 1)}) {
			t.Fatalf("%q is number %d", s, i)
		}
	}
	tape.Close()
	testend.Next(t, "Follow ends", ended)
	tape.Add(Event{Conn: n, Kind: End, Way: Up})
	if events, more := tape.From(0); len(events) != 101 || more == nil {
		t.Errorf("%d events after the end", len(events))
	}
}

const head = `{"minissh-lab": "run", "version": 1, "began": "2026-11-30T09:00:00Z"}` + "\n"

// A file comes from anybody: each broken rule is named with its line.
func TestHostileFiles(t *testing.T) {
	open := `{"conn": 1, "at": 0, "kind": "open"}` + "\n"
	for _, c := range []struct{ file, want string }{
		{"", "not a recorded run"},
		{"\n", "not a recorded run"},
		{`{"minissh-lab": "run"`, "not a recorded run"},
		{strings.Repeat("x", 2*MaxLine), "not a recorded run"},
		{"\x7fELF\x00\n", "not a recorded run"},
		{`{"minissh-lab": "run", "version": 2, "more": 1}` + "\n", "version 2"},
		{`{"minissh-lab": "run", "version": 1, "began": "yesterday"}` + "\n", "line 1"},
		{`{"minissh-lab": "run", "version": 1, "sends": 1}` + "\n", "line 1"},
		{strings.Replace(head, `"began"`, `"title": "`+strings.Repeat("t", 201)+`", "began"`, 1),
			"title is too long"},
		{head + "x\n", "line 2: it is not an event"},
		{head + open + open[:len(open)-1] + `{}` + "\n", "line 3: it is not an event"},
		{head + `{"conn": 1, "at": 0, "kind": "open", "sends": 1}` + "\n", "not an event"},
		{head + strings.Repeat(" ", MaxLine) + "\n", "line 2: it is too long"},
		{head + `{"conn": 2, "at": 0, "kind": "open"}` + "\n", "not the next one"},
		{head + `{"conn": -1, "at": 0, "kind": "open"}` + "\n", "not the next one"},
		{head + `{"conn": 1, "at": -1, "kind": "open"}` + "\n", "goes back"},
		{head + `{"conn": 1, "at": 99999999999999999999, "kind": "open"}` + "\n", "not an event"},
		{head + open + `{"conn": 2, "at": 0, "kind": "end", "way": "up"}` + "\n", "not begun"},
		{head + open + `{"conn": -7, "at": 0, "kind": "end", "way": "up"}` + "\n", "not begun"},
		{head + open + `{"conn": 1, "at": 0, "kind": "shell", "data": ""}` + "\n", "unknown"},
		{head + open + `{"conn": 1, "at": 0, "kind": "data", "way": "up"}` + "\n", "data"},
		{head + open + `{"conn": 1, "at": 0, "kind": "end", "way": "up", "data": "eA=="}` + "\n",
			"data"},
		{head + open + `{"conn": 1, "at": 0, "kind": "data", "way": "up", "data": "%"}` + "\n",
			"not an event"},
		{head + open + `{"conn": 1, "at": 0, "kind": "data", "way": "in", "data": "eA=="}` + "\n",
			"way"},
		{head + open + `{"conn": 1, "at": 0, "kind": "data", "way": "up", "data": "eA==", ` +
			`"segments": -1}` + "\n", "segments"},
		{head + open + `{"conn": 1, "at": 0, "kind": "end", "way": "up"}` + "\n" +
			`{"conn": 1, "at": 0, "kind": "data", "way": "up", "data": "eA=="}` + "\n", "has ended"},
		{head + open + `{"conn": 1, "at": 0, "kind": "reset", "way": "up"}` + "\n" +
			`{"conn": 1, "at": 0, "kind": "end", "way": "down"}` + "\n", "is over"},
		{head + `{"conn": 1, "at": 0, "kind": "send", "way": "up", "size": 1}` + "\n", "not begun"},
		{head + open + `{"conn": 1, "at": 0, "kind": "send", "way": "up", "size": -1}` + "\n",
			"size cannot be"},
		{head + open + `{"conn": 1, "at": 0, "kind": "send", "way": "up", "ask": 1}` + "\n",
			"another kind"},
		{head + open + `{"conn": 1, "at": 0, "kind": "recv", "size": 1}` + "\n", "way"},
		{head + open + `{"conn": 1, "at": 0, "kind": "end", "way": "up", "size": 1}` + "\n",
			"belong to calls"},
		{head + open + `{"conn": 1, "at": 5, "kind": "recv", "way": "up", "size": 1}` + "\n" +
			`{"conn": 1, "at": 4, "kind": "recv", "way": "up", "size": 1}` + "\n", "goes back"},
		{head + open + `{"conn": 1, "at": 5, "kind": "recv", "way": "up", "size": 1}` + "\n" +
			`{"conn": 1, "at": 6, "kind": "end", "way": "up"}` + "\n", "after calls"},
		{head + `{"conn": 0, "at": 0, "kind": "full"}` + "\n" + open, `after "full"`},
	} {
		_, events, err := Read(strings.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) || events != nil {
			t.Errorf("%.80q: %d events, %v; want %q", c.file, len(events), err, c.want)
		}
	}
	var line *LineError
	if _, _, err := Read(strings.NewReader(head + open + "x\n")); !errors.As(err, &line) ||
		line.Line != 3 {
		t.Errorf("%v", err)
	}
}

// More than a run may have is refused while it is read, not after.
func TestFilesAreBounded(t *testing.T) {
	var file bytes.Buffer
	w := NewWriter(&file, New().Began(), "")
	w.Write([]Event{{Conn: 1, Kind: Open}})
	piece := make([]byte, MaxPiece)
	for range 257 {
		w.Write([]Event{{Conn: 1, Kind: Data, Way: Up, Data: piece}})
	}
	if _, _, err := Read(&file); err == nil || err.Error() != "line 259: there is too much data" {
		t.Errorf("17 MiB: %v", err)
	}
	file.Reset()
	w = NewWriter(&file, New().Began(), "")
	w.Write([]Event{{Conn: 1, Kind: Open}})
	for range 100_000 {
		w.Write([]Event{{Conn: 1, Kind: Data, Way: Up, Data: []byte("x")}})
	}
	if _, _, err := Read(&file); err == nil ||
		err.Error() != "line 100002: there are too many events" {
		t.Errorf("100,001 events: %v", err)
	}
}

func TestLongTitleIsCut(t *testing.T) {
	var file bytes.Buffer
	NewWriter(&file, New().Began(), strings.Repeat("中", 100)+"\xff").Write(nil)
	h, _, err := Read(&file)
	if err != nil || h.Title != strings.Repeat("中", 66) {
		t.Errorf("%q, %v", h.Title, err)
	}
}
