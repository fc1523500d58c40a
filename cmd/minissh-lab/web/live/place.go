package live

import (
	"encoding/binary"
	"errors"
	"sort"

	"minissh/cmd/minissh-lab/web/record"
)

// What TLS 1.3 adds to a record: a header before, the true type and a tag after it.
const (
	recordHeader  = 5
	recordTrailer = 17
)

// span is where some of the frames' bytes lie on the wire: wire+i holds plain+i.
type span struct{ wire, plain, n int }

// spans reads the TLS records of wire from text on. Go puts no padding into them. The
// frames end before total; what comes then is TLS's own goodbye.
func spans(wire []byte, text, total int) ([]span, error) {
	var all []span
	plain := 0
	for at := text; at < len(wire) && plain < total; {
		if len(wire)-at < recordHeader {
			return nil, errors.New("half a TLS record")
		}
		n := int(binary.BigEndian.Uint16(wire[at+3:]))
		inside := n - recordTrailer
		if wire[at] != 23 || inside < 0 || len(wire)-at-recordHeader < n {
			return nil, errors.New("not a TLS record of frames")
		}
		all = append(all, span{at + recordHeader, plain, inside})
		plain += inside
		at += recordHeader + n
	}
	if plain != total {
		return nil, errors.New("the TLS records do not hold the frames")
	}
	return all, nil
}

// plainAt is how many of the frames' bytes lie before a place on the wire.
func plainAt(all []span, wire int) int {
	i := sort.Search(len(all), func(i int) bool { return all[i].wire > wire })
	if i == 0 {
		return 0
	}
	s := all[i-1]
	return s.plain + min(wire-s.wire, s.n)
}

// translate turns events on the wire into events on the frames. What carried none
// of their bytes, TLS's handshake say, is left out, and the rest numbered anew.
func translate(all []span, events []record.Event) []record.Event {
	count := map[string]int{}
	var out []record.Event
	for _, e := range events {
		e.Wire = e.To - e.From
		e.From, e.To = plainAt(all, e.From), plainAt(all, e.To)
		if e.From == e.To {
			continue
		}
		e.N = count[e.Kind] + 1
		count[e.Kind] += max(1, e.Count)
		out = append(out, e)
	}
	return out
}
