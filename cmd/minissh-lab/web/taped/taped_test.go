package taped

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"minissh/cmd/minissh-lab/tape"
	"minissh/cmd/minissh-lab/web/record"
	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Main(m) }

// told are a side's messages and fields.
func told(s *record.Trace) string {
	var all []string
	for _, m := range s.Sent {
		all = append(all, fmt.Sprintf("%d-%d %s", m.From, m.To, m.Text))
	}
	for _, f := range s.Fields {
		all = append(all, fmt.Sprintf("%s %d-%d of %d", f.Name, f.From, f.To, f.Message))
	}
	return strings.Join(all, "; ")
}

// Every byte belongs to a message: those that the decoder finds, and the pieces of what it does not
// decode.
func TestMessagesCoverTheBytes(t *testing.T) {
	run := New("\x1b[2J", []tape.Event{
		{Conn: 1, At: 1000, Kind: tape.Open},
		{Conn: 1, At: 1500, Kind: tape.Data, Way: tape.Up, Data: []byte("ls")},
		{Conn: 1, At: 2000, Kind: tape.Data, Way: tape.Down, Data: []byte("\x02\x00\x00\x00hi"),
			Segments: 1},
		{Conn: 1, At: 3000, Kind: tape.Data, Way: tape.Down, Data: []byte("\xff\xff\xff\xffrest")},
		{Conn: 1, At: 4000, Kind: tape.Data, Way: tape.Down, Data: []byte("more")},
		{Conn: 1, At: 5000, Kind: tape.Reset, Way: tape.Down},
	}, nil, false)
	if run.Title != `"\x1b[2J"` || len(run.Connections) != 1 {
		t.Fatalf("%+v", run)
	}
	up, down := run.Connections[0].Sides[0], run.Connections[0].Sides[1]
	if got := told(up); got != `0-2 "ls"; command 0-2 of 0` {
		t.Errorf("up: %s", got)
	}
	if got := told(down); got != `0-6 "hi"; 6-14 "\xff\xff\xff\xffrest"; 14-18 "more"; `+
		`length 0-4 of 0; data 4-6 of 0` {
		t.Errorf("down: %s", got)
	}
	if up.Segments != -1 || down.Segments != 1 || down.Events[0].At != 1000 {
		t.Errorf("%d and %d segments, the first at %d", up.Segments, down.Segments,
			down.Events[0].At)
	}
	if last := down.Events[len(down.Events)-1]; last.Kind != record.KindClose || last.At != 4000 {
		t.Errorf("the last event is %+v", last)
	}
}

// What is long is cut, and said to be: connections, events, bytes.
func TestOnlyTheBeginning(t *testing.T) {
	var events []tape.Event
	for n := range 25 {
		events = append(events, tape.Event{Conn: n + 1, Kind: tape.Open})
	}
	for range 5000 {
		events = append(events, tape.Event{Conn: 1, Kind: tape.Data, Way: tape.Up,
			Data: []byte("x"), Segments: 1})
	}
	for range 3 {
		events = append(events, tape.Event{Conn: 2, Kind: tape.Data, Way: tape.Down,
			Data: bytes.Repeat([]byte{0}, tape.MaxPiece)})
	}
	run := New("", events, nil, false)
	if len(run.Connections) != 20 || !run.More {
		t.Fatalf("%d connections, %v", len(run.Connections), run.More)
	}
	one, two := run.Connections[0], run.Connections[1]
	if !one.More || len(one.Sides[0].Events) > 1000 || len(one.Sides[0].Bytes) != 500 {
		t.Errorf("%v, %d events, %d bytes", one.More, len(one.Sides[0].Events),
			len(one.Sides[0].Bytes))
	}
	if !two.More || len(two.Sides[1].Bytes) != 64<<10 || len(two.Sides[1].Fields) > 2000 {
		t.Errorf("%v, %d bytes, %d fields", two.More, len(two.Sides[1].Bytes),
			len(two.Sides[1].Fields))
	}
	if run.Connections[2].More {
		t.Error("an empty connection has more")
	}
}
