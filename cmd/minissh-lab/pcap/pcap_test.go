package pcap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"minissh/cmd/minissh-lab/tape"
	"minissh/cmd/minissh-lab/web/record"
)

// Every block says its length twice, and blocks fill the file; every checksum is right.
func TestBlocksAndChecksums(t *testing.T) {
	events := []tape.Event{
		{Conn: 1, Kind: tape.Open},
		{Conn: 1, At: 5, Kind: tape.Data, Way: tape.Up, Data: []byte("ls"), Segments: 1},
		{Conn: 2, At: 6, Kind: tape.Open},
		{Conn: 2, At: 7, Kind: tape.Refused},
		{Conn: 1, At: 9, Kind: tape.Data, Way: tape.Down, Data: make([]byte, 64<<10), Segments: 3},
		{Conn: 1, At: 10, Kind: tape.End, Way: tape.Up},
		{Conn: 1, At: 11, Kind: tape.Reset, Way: tape.Down},
		{Kind: tape.Full, At: 12},
	}
	var file bytes.Buffer
	if err := Write(&file, time.Unix(1, 0), FromTape(events, OtherPort)...); err != nil {
		t.Fatal(err)
	}
	packets := 0
	for b := file.Bytes(); len(b) > 0; {
		kind, n := binary.LittleEndian.Uint32(b), int(binary.LittleEndian.Uint32(b[4:]))
		if n%4 != 0 || n > len(b) || int(binary.LittleEndian.Uint32(b[n-4:])) != n {
			t.Fatalf("a block of kind %x and length %d", kind, n)
		}
		if kind == 6 {
			packets++
			p := b[28 : 28+binary.LittleEndian.Uint32(b[20:])]
			pseudo := uint32(sum(0, p[12:20])) + 6 + uint32(len(p)-20)
			if sum(0, p[:20]) != 0xffff || sum(pseudo, p[20:]) != 0xffff {
				t.Errorf("packet %d has a wrong checksum", packets)
			}
		}
		b = b[n:]
	}
	// twice a handshake, a packet and two with their ACKs, FIN and ACK, two RSTs
	if packets != 2*3+2+3+2+2 {
		t.Errorf("%d packets", packets)
	}
}

// A trace comes from the page, and so from anybody: what cannot be is refused.
func TestHostileTraces(t *testing.T) {
	send := func(from, to int) record.Event {
		return record.Event{Kind: record.KindSend, From: from, To: to}
	}
	trace := func(events ...record.Event) []*record.Trace {
		return []*record.Trace{{Bytes: []byte("hello"), Events: events}}
	}
	if s, err := FromTraces(trace(send(0, 2), send(2, 5))); err != nil || len(s) != 1 {
		t.Fatal(err)
	}
	closed := record.Event{Kind: record.KindClose}
	late := send(0, 5)
	late.At = 1 << 62
	for name, sides := range map[string][]*record.Trace{
		"nil": {nil}, "a gap": trace(send(0, 2), send(3, 5)), "after the last": trace(send(0, 6)),
		"backwards": trace(send(0, 2), send(2, 1)), "negative": trace(send(-1, 5)),
		"short": trace(send(0, 4)), "none": trace(), "after the end": trace(closed, send(0, 5)),
		"in a million years": trace(late),
		"only half of a pair": {{Name: "up", Bytes: []byte("x"),
			Events: []record.Event{send(0, 1)}}, nil},
		"time runs back": trace(record.Event{Kind: record.KindSend, At: 2, To: 2}, send(2, 5)),
	} {
		if s, err := FromTraces(sides); !errors.Is(err, ErrTrace) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
	if err := Write(io.Discard, time.Now()); err != nil {
		t.Error(err)
	}
}
