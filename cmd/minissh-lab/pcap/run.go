package pcap

import (
	"errors"
	"fmt"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/tape"
	"minissh/cmd/minissh-lab/web/record"
)

// The made-up ports of servers, where the dissectors of scripts/wireshark expect the dialects.
// FramesPort carries minissh's frames as they are inside TLS, which have no port of their own:
// Wireshark is told by Decode As. To a Sent… port it is the client that sends messages with
// lengths, as in the lab's own runs.
const (
	SimplePort       = 8080
	UltimatePort     = 8081
	SentSimplePort   = 8082
	SentUltimatePort = 8083
	OtherPort        = 9000
	FramesPort       = 7000
	clientPort       = 50000
)

// Port is the made-up one of a server that speaks a dialect or framing; "" is not known.
func Port(dialect string) uint16 {
	switch dialect {
	case "simple":
		return SimplePort
	case "ultimate":
		return UltimatePort
	case "minissh", "tls": // the frames inside it
		return FramesPort
	}
	return OtherPort
}

// sentPort is the made-up one of a server to which a client sends messages of a framing.
func sentPort(framing string) uint16 {
	switch framing {
	case "simple":
		return SentSimplePort
	case "ultimate":
		return SentUltimatePort
	}
	return Port(framing)
}

// most is the latest moment of a trace, in microseconds: a day.
const most = 24 * 3600 * 1_000_000

// FromTape are the connections of a recorded run, to a server on a port.
func FromTape(events []tape.Event, server uint16) []*Stream {
	began := map[int]int64{} // a client may send before the relay has accepted it
	for _, e := range events {
		if at, ok := began[e.Conn]; !ok || e.At < at {
			began[e.Conn] = e.At
		}
	}
	var all []*Stream
	for _, e := range events {
		if e.Kind == tape.Open {
			all = append(all, NewStream(uint16(clientPort+e.Conn), server, began[e.Conn]))
		}
		if e.Conn < 1 || e.Conn > len(all) {
			continue
		}
		s := all[e.Conn-1]
		switch e.Kind {
		case tape.Data:
			comment := ""
			if e.Segments > 1 {
				comment = several(e.Segments)
			}
			s.Data(e.At, e.Way == tape.Up, e.Data, comment)
		case tape.End:
			s.End(e.At, e.Way == tape.Up)
		case tape.Reset:
			s.Reset(e.At, e.Way == tape.Up)
		case tape.Refused:
			s.Reset(e.At, false)
		}
	}
	return all
}

func several(n int) string {
	return fmt.Sprintf("%d TCP segments; where one ends and the next begins was not seen", n)
}

// ErrTrace is a trace that no run can have had: it comes from the page, and so from anybody.
var ErrTrace = errors.New("not the trace of a run")

// FromTraces are the connections of a run of the page: one for each of the lab's own runs, one for
// each two directions of a live or recorded connection.
func FromTraces(sides []*record.Trace) ([]*Stream, error) {
	var all []*Stream
	for i := 0; i < len(sides); i++ {
		up, down := sides[i], (*record.Trace)(nil)
		if up != nil && (up.Name == "up" || up.Name == "to_server") && i+1 < len(sides) {
			i++
			if down = sides[i]; down == nil {
				return nil, ErrTrace
			}
		}
		s, err := fromTraces(up, down, uint16(clientPort+len(all)+1))
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// seen is something that was seen on a connection.
type seen struct {
	record.Event
	trace *record.Trace
	up    bool
}

func fromTraces(first, second *record.Trace, port uint16) (*Stream, error) {
	if first == nil {
		return nil, ErrTrace
	}
	all, err := pieces(first, true) // in the lab's own runs the sender is the one that connects
	if err != nil {
		return nil, err
	}
	server := sentPort(first.Framing)
	if second != nil {
		server = Port(first.Framing)
		other, err := pieces(second, false)
		if err != nil {
			return nil, err
		}
		all = merge(all, other)
	}
	s := NewStream(port, server, 0)
	for _, e := range all {
		switch e.Kind {
		case record.KindAck:
			s.Data(e.At, !e.up, []byte(dialect.AckText), "")
		case record.KindClose:
			s.End(e.At, e.up)
		default:
			comment := ""
			if e.Count > 1 {
				comment = several(e.Count)
			}
			s.Data(e.At, e.up, e.trace.Bytes[e.From:e.To], comment)
		}
	}
	return s, nil
}

// pieces are a direction's segments where they are known for all its bytes, else its sends, and
// the acknowledgements and the end.
func pieces(t *record.Trace, up bool) ([]seen, error) {
	if t == nil {
		return nil, ErrTrace
	}
	for _, kind := range []string{record.KindSegment, record.KindSend} {
		var all []seen
		next, last, closed := 0, int64(0), false
		for _, e := range t.Events {
			if e.Kind != kind && e.Kind != record.KindAck && e.Kind != record.KindClose {
				continue
			}
			if e.At < last || e.At > most {
				return nil, ErrTrace
			}
			last = e.At
			switch {
			case closed && e.Kind == record.KindClose: // a FIN, and a RST
				continue
			case e.Kind == record.KindClose:
				closed = true
			case e.Kind == record.KindAck:
			case e.From == e.To:
				continue
			case closed || e.From != next || e.To < e.From || e.To > len(t.Bytes):
				return nil, ErrTrace
			default:
				next = e.To
			}
			all = append(all, seen{e, t, up})
		}
		if next == len(t.Bytes) {
			return all, nil
		}
	}
	return nil, fmt.Errorf("%w: no event has its last bytes", ErrTrace)
}

// merge puts two directions into the order of time.
func merge(a, b []seen) []seen {
	var all []seen
	for len(a) > 0 && len(b) > 0 {
		if a[0].At <= b[0].At {
			all, a = append(all, a[0]), a[1:]
		} else {
			all, b = append(all, b[0]), b[1:]
		}
	}
	return append(append(all, a...), b...)
}
