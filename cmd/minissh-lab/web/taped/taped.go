// Package taped turns a recorded run of a learner's own programs (package tape) into what the page
// draws (record.Trace), with what was seen told apart from what is guessed.
//
//	bytes, segments   as the relay saw them: one segment is drawn as it was, several that carried
//	                  a piece without their boundaries
//	sends, recvs      as a tracer saw them, if it saw all that was sent; else each piece is
//	                  guessed to be a send, and recvs are not seen
//	messages, fields  as tape.Decoder finds them; what it does not decode is one message a piece
//	buffers           not seen: they are the programs' own
package taped

import (
	"cmp"
	"slices"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/speak"
	"minissh/cmd/minissh-lab/tape"
	"minissh/cmd/minissh-lab/web/record"
)

// Bounds of what the page is given: more than anyone steps through.
const (
	MaxConns  = 20
	MaxEvents = 1000     // of a direction
	MaxBytes  = 64 << 10 // of a direction
	maxFields = 2000     // of a direction
)

// Framing marks a trace as a recorded one.
const Framing = "recorded"

// Run is a run as the page shows it.
type Run struct {
	Title       string       `json:"title"` // quoted
	Connections []Connection `json:"connections"`
	More        bool         `json:"more"` // there were more connections
}

// Connection is one connection: both directions, which share one clock.
type Connection struct {
	N     int             `json:"n"`
	Sides []*record.Trace `json:"sides"` // up (client to server), down
	More  bool            `json:"more"`  // only its beginning is shown
}

// New converts a run. d and bigEndian are tape.NewDecoder's.
func New(title string, events []tape.Event, d *dialect.Dialect, bigEndian bool) Run {
	run := Run{Title: speak.Quote([]byte(title)), Connections: []Connection{}}
	var all []*connection
	byNumber := map[int]*connection{}
	began := map[int]int64{} // a client may send before the relay has accepted it
	for _, e := range events {
		if at, ok := began[e.Conn]; !ok || e.At < at {
			began[e.Conn] = e.At
		}
	}
	for _, e := range events {
		if e.Kind == tape.Open {
			if len(all) == MaxConns {
				run.More = true
				continue
			}
			c := &connection{began: began[e.Conn], decoder: tape.NewDecoder(d, bigEndian)}
			c.N = e.Conn
			c.sides[0], c.sides[1] = newSide("to_server"), newSide("to_client")
			byNumber[e.Conn] = c
			all = append(all, c)
		}
		if c := byNumber[e.Conn]; c != nil {
			c.event(e)
		}
	}
	for _, c := range all {
		for _, s := range c.sides {
			s.cover()
			s.trace(c.began)
			c.Sides = append(c.Sides, s.Trace)
		}
		run.Connections = append(run.Connections, c.Connection)
	}
	return run
}

// connection is one that is being converted.
type connection struct {
	Connection
	began   int64
	decoder *tape.Decoder
	sides   [2]*side
}

// side is one direction of it.
type side struct {
	*record.Trace
	segments, sends int
	pieces          []record.Message // where each begins and ends
	numbers         []int            // of Sent: the decoder's
	total           int              // bytes, also those that are not shown
	calls           []tape.Event     // that a tracer saw
	full            bool             // a bound is reached: the rest is not shown
}

func newSide(name string) *side {
	return &side{Trace: &record.Trace{Name: name, Framing: Framing, Bytes: []byte{},
		Fields: []record.Field{}, Sent: []record.Message{}, Got: []record.Message{},
		Events: []record.Event{}, Segments: -1}}
}

func (c *connection) side(w tape.Way) *side {
	if w == tape.Up {
		return c.sides[0]
	}
	return c.sides[1]
}

func (c *connection) event(e tape.Event) {
	at := e.At - c.began
	switch e.Kind {
	case tape.Send, tape.Recv:
		s := c.side(e.Way)
		s.calls = append(s.calls, e)
		return
	case tape.Data:
		c.side(e.Way).total += len(e.Data)
		c.side(e.Way).piece(e, at)
	case tape.End, tape.Reset:
		s := c.side(e.Way)
		s.add(record.Event{At: at, Kind: record.KindClose, From: len(s.Bytes), To: len(s.Bytes)})
	}
	for _, n := range c.decoder.Event(e) {
		if n.En == "" {
			c.side(n.Way).field(n.Field)
		}
	}
	c.More = c.sides[0].full || c.sides[1].full
}

// add adds an event, if there is room.
func (s *side) add(e record.Event) {
	if s.full || len(s.Events) >= MaxEvents {
		s.full = true
		return
	}
	s.Events = append(s.Events, e)
}

// piece is what the relay read at once.
func (s *side) piece(e tape.Event, at int64) {
	from, to := len(s.Bytes), len(s.Bytes)+len(e.Data)
	if s.full || to > MaxBytes || len(s.Events)+2 > MaxEvents {
		s.full = true
		return
	}
	s.Bytes = append(s.Bytes, e.Data...)
	s.pieces = append(s.pieces, record.Message{From: from, To: to,
		Text: speak.QuoteShort(e.Data, 40), Size: len(e.Data)})
	s.sends++
	s.add(record.Event{At: at, Kind: record.KindSend, N: s.sends, From: from, To: to})
	if e.Segments > 0 {
		s.add(record.Event{At: at, Kind: record.KindSegment, N: s.segments + 1, From: from, To: to,
			Count: e.Segments, Since: at})
		s.segments += e.Segments
		s.Segments = s.segments
	}
}

// field takes one that lies in the bytes that are shown.
func (s *side) field(f tape.Field) {
	if f.To > int64(len(s.Bytes)) || len(s.Fields) >= maxFields {
		return
	}
	from, to := int(f.From), int(f.To)
	s.Fields = append(s.Fields, record.Field{From: from, To: to, Name: f.Name, Value: f.Value,
		Endian: f.Endian, Message: f.Message})
	if n := len(s.Sent) - 1; n >= 0 && s.numbers[n] == f.Message {
		s.Sent[n].To, s.Sent[n].Text, s.Sent[n].Size = to, f.Value, to-from
		return
	}
	s.Sent = append(s.Sent, record.Message{From: from, To: to, Text: f.Value, Size: to - from})
	s.numbers = append(s.numbers, f.Message)
}

// trace puts the calls in the place of what was guessed, if they are all that was sent.
func (s *side) trace(began int64) {
	sum := map[tape.Kind]int{}
	for _, e := range s.calls {
		sum[e.Kind] += e.Size
	}
	s.Guessed = sum[tape.Send] != s.total || s.total == 0
	s.Seen = sum[tape.Recv] > 0 && sum[tape.Recv] <= s.total
	at, n := map[tape.Kind]int{}, map[tape.Kind]int{}
	if !s.Guessed {
		s.Events = slices.DeleteFunc(s.Events,
			func(e record.Event) bool { return e.Kind == record.KindSend })
	}
	for _, e := range s.calls {
		from, to := at[e.Kind], at[e.Kind]+e.Size
		if e.Kind == tape.Send && s.Guessed || e.Kind == tape.Recv && !s.Seen ||
			to > len(s.Bytes) || len(s.Events) >= MaxEvents {
			continue
		}
		at[e.Kind] = to
		n[e.Kind]++
		s.Events = append(s.Events, record.Event{At: e.At - began, Kind: string(e.Kind),
			N: n[e.Kind], From: from, To: to, Ask: e.Ask, Ready: -1})
	}
	slices.SortStableFunc(s.Events,
		func(a, b record.Event) int { return cmp.Compare(a.At, b.At) })
}

// cover fills what no message has: each piece of it is one.
func (s *side) cover() {
	var all []record.Message
	at, next := 0, 0
	gap := func(to int) {
		for next < len(s.pieces) && at < to {
			p := s.pieces[next]
			if p.To <= at {
				next++
				continue
			}
			p.From, p.To = max(p.From, at), min(p.To, to)
			p.Size = p.To - p.From
			p.Text = speak.QuoteShort(s.Bytes[p.From:p.To], 40)
			all = append(all, p)
			at = p.To
		}
	}
	for _, m := range s.Sent {
		gap(m.From)
		all = append(all, m)
		at = m.To
	}
	gap(len(s.Bytes))
	s.Sent = append([]record.Message{}, all...)
	for i := range s.Fields { // by the numbers that the page shows
		for k := range s.Sent {
			if s.Fields[i].From >= s.Sent[k].From && s.Fields[i].To <= s.Sent[k].To {
				s.Fields[i].Message = k
			}
		}
	}
}
