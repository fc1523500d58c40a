package wire

import "time"

// End is what one end of a link sees of a cut.
type End int

const (
	Nothing End = iota
	Closed      // an orderly end: FIN
	Reset       // RST
)

// Flow is what becomes of one direction.
type Flow int

const (
	Passes Flow = iota
	Stalls      // it goes on to the middle of a record, and stops there
	Stops
)

// Way is how a link is cut.
type Way struct {
	Kind, Name string
	Near, Far  End
	Up, Down   Flow
}

// Ways are all there are: six kinds, and for some of them one for each end or direction.
var Ways = []Way{
	{"end", "end", Closed, Closed, Stops, Stops},
	{"reset", "reset", Reset, Reset, Stops, Stops},
	{"silence", "silence", Nothing, Nothing, Stops, Stops},
	{"half-open", "client closed", Closed, Nothing, Stops, Stops},
	{"half-open", "client reset", Reset, Nothing, Stops, Stops},
	{"half-open", "daemon closed", Nothing, Closed, Stops, Stops},
	{"half-open", "daemon reset", Nothing, Reset, Stops, Stops},
	{"one-way", "silent up", Nothing, Nothing, Stops, Passes},
	{"one-way", "silent down", Nothing, Nothing, Passes, Stops},
	{"stall", "stalled up", Nothing, Nothing, Stalls, Stops},
	{"stall", "stalled down", Nothing, Nothing, Stops, Stalls},
}

// Kinds are the kinds of Ways, in their order.
func Kinds() (kinds []string) {
	for _, w := range Ways {
		if len(kinds) == 0 || kinds[len(kinds)-1] != w.Kind {
			kinds = append(kinds, w.Kind)
		}
	}
	return kinds
}

// OfKind are the ways of one kind.
func OfKind(kind string) (ways []Way) {
	for _, w := range Ways {
		if w.Kind == kind {
			ways = append(ways, w)
		}
	}
	return ways
}

// Cut is one cut of a link.
type Cut struct {
	Way  Way
	Deaf bool          // what an end still sends is not even read; its buffers fill up
	Mute time.Duration // how long the link stays, cut, before it is reset; 0: until Drop or Close
}

// Fate is what becomes of a link. The zero Fate forwards everything at once.
type Fate struct {
	Delay   time.Duration // each byte and each end comes so much later, each way
	Segment int           // at most so many bytes in a piece, at a link's beginning; 0: all
	Cut     *Cut          // nil: the link is not cut by itself

	// The cut comes exactly after so many bytes up or down, or after this time, whichever is first;
	// a 0 does not count.
	Up, Down int64
	After    time.Duration
}
