package mux

import (
	"sync"

	"minissh/protocol"
)

// chunkSize is what an inbox borrows at a time for small payloads, in bytes. A payload of adoptSize
// or more stays in the buffer that it was read into: copying it would cost more than the wasted
// room, a quarter at most.
const (
	chunkSize = 32 << 10
	adoptSize = protocol.MaxPayload * 3 / 4
)

var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// inbox keeps what arrived for one application, in the order of arrival: runs of data bytes, and
// marks between them (EOF, EXIT, CLOSE). Its memory is borrowed while it is used. The Session's mu
// guards it.
type inbox struct {
	data     int          // data bytes inside
	blocks   queue[block] // the bytes of all runs, in order; none is empty
	runs     queue[run]
	messages queue[any] // of the marks that carry one, in order
}

// block is borrowed memory, one of the two kinds, and those of its bytes that have not been taken.
type block struct {
	chunk *[chunkSize]byte
	whole *protocol.Buffer
	rest  []byte // more may be appended up to its capacity
}

func (b *block) giveBack() {
	if b.chunk != nil {
		chunks.Put(b.chunk)
	}
	if b.whole != nil {
		protocol.Recycle(b.whole)
	}
	*b = block{}
}

// run is a number of data bytes of one type, or a mark. It is small because a peer that changes
// between STDOUT and STDERR at every byte makes us keep one for each byte of its window.
type run struct {
	bytes   int32 // less than MaxWindow
	kind    protocol.Type
	eof     bool // a mark: data of this type has ended
	message bool // a mark: the first of messages belongs to it
}

func (in *inbox) empty() bool { return in.runs.len() == 0 }

// memory is what the inbox has borrowed, in bytes.
func (in *inbox) memory() (n int64) {
	for i := range in.blocks.len() {
		if in.blocks.at(i).chunk != nil {
			n += chunkSize
		} else {
			n += protocol.MaxFrame
		}
	}
	return n
}

// add appends a frame's data. The frame's payload may belong to the inbox afterwards.
func (in *inbox) add(f protocol.Frame) {
	if len(f.Payload) >= adoptSize {
		if whole := f.Detach(); whole != nil {
			in.extend(f.Type, len(f.Payload))
			in.blocks.push(block{whole: whole, rest: f.Payload[:len(f.Payload):len(f.Payload)]})
			return
		}
	}
	in.put(f.Type, f.Payload)
}

// put appends a copy of p.
func (in *inbox) put(kind protocol.Type, p []byte) {
	in.extend(kind, len(p))
	for len(p) > 0 {
		last := in.blocks.len() - 1
		if last < 0 || len(in.blocks.at(last).rest) == cap(in.blocks.at(last).rest) {
			chunk := chunks.Get().(*[chunkSize]byte)
			in.blocks.push(block{chunk: chunk, rest: chunk[:0]})
			last++
		}
		rest := &in.blocks.at(last).rest
		n := min(len(p), cap(*rest)-len(*rest))
		*rest = append(*rest, p[:n]...)
		p = p[n:]
	}
}

// extend counts data bytes. Single bytes of one type make no more runs than large frames.
func (in *inbox) extend(kind protocol.Type, n int) {
	in.data += n
	if last := in.runs.len() - 1; last >= 0 && in.runs.at(last).kind == kind &&
		!in.runs.at(last).eof {
		in.runs.at(last).bytes += int32(n)
	} else {
		in.runs.push(run{kind: kind, bytes: int32(n)})
	}
}

// mark appends an event that has its place among the data.
func (in *inbox) mark(kind protocol.Type, message any, eof bool) {
	in.runs.push(run{kind: kind, message: message != nil, eof: eof})
	if message != nil {
		in.messages.push(message)
	}
}

// take removes the next mark, or up to most bytes of the next run, as many as are in one block.
// They are valid until the second result is given back. The inbox is not empty.
func (in *inbox) take(most int) (event Event, from block) {
	first := in.runs.at(0)
	event = Event{Type: first.kind, EOF: first.eof}
	if first.message {
		event.Message = in.messages.pop()
	}
	if first.bytes > 0 {
		b := in.blocks.at(0)
		n := min(most, len(b.rest), int(first.bytes))
		event.Data, b.rest = b.rest[:n:n], b.rest[n:]
		if len(b.rest) == 0 {
			from = in.blocks.pop()
		}
		in.data -= n
		if first.bytes -= int32(n); first.bytes > 0 {
			return event, from
		}
	}
	in.runs.pop()
	return event, from
}
