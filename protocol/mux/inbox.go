package mux

import (
	"sync"

	"minissh/protocol"
)

// chunkSize is what an inbox borrows at a time, in bytes.
const chunkSize = 32 << 10

var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// inbox keeps what arrived for one application, in the order of arrival: runs of data bytes, and marks between them (EOF,
// EXIT, CLOSE). Its memory is borrowed while it is used. The Session's mu guards it.
type inbox struct {
	data     int                     // data bytes inside
	blocks   queue[*[chunkSize]byte] // the bytes of all runs, one behind the other
	start    int                     // of the first byte in the first block
	runs     queue[run]
	messages queue[any] // of the marks that carry one, in order
}

// run is a number of data bytes of one type, or a mark. It is small because a peer that changes between STDOUT and STDERR at
// every byte makes us keep one for each byte of its window.
type run struct {
	bytes   int32 // less than MaxWindow
	kind    protocol.Type
	eof     bool // a mark: data of this type has ended
	message bool // a mark: the first of messages belongs to it
}

func (in *inbox) empty() bool { return in.runs.len() == 0 }

// put appends data. A peer that sends single bytes of one type makes no more runs than one that sends large frames.
func (in *inbox) put(kind protocol.Type, p []byte) {
	if n := in.runs.len(); n > 0 && in.runs.at(n-1).kind == kind && !in.runs.at(n-1).eof {
		in.runs.at(n - 1).bytes += int32(len(p))
	} else {
		in.runs.push(run{kind: kind, bytes: int32(len(p))})
	}
	for len(p) > 0 {
		end := in.start + in.data
		if end == in.blocks.len()*chunkSize {
			in.blocks.push(chunks.Get().(*[chunkSize]byte))
		}
		n := copy((*in.blocks.at(end / chunkSize))[end%chunkSize:], p)
		in.data += n
		p = p[n:]
	}
}

// mark appends an event that has its place among the data.
func (in *inbox) mark(kind protocol.Type, message any, eof bool) {
	in.runs.push(run{kind: kind, message: message != nil, eof: eof})
	if message != nil {
		in.messages.push(message)
	}
}

// take removes the next mark, or as many bytes of the next run as fit p. The inbox is not empty.
func (in *inbox) take(p []byte) Event {
	first := in.runs.at(0)
	event := Event{Type: first.kind, EOF: first.eof}
	if first.message {
		event.Message = in.messages.pop()
	}
	if first.bytes > 0 {
		event.N = in.copyOut(p[:min(len(p), int(first.bytes))])
		if first.bytes -= int32(event.N); first.bytes > 0 {
			return event
		}
	}
	in.runs.pop()
	return event
}

func (in *inbox) copyOut(p []byte) int {
	done := 0
	for done < len(p) {
		n := copy(p[done:], (*in.blocks.at(0))[in.start:min(chunkSize, in.start+in.data)])
		done += n
		in.data -= n
		if in.start += n; in.start == chunkSize || in.data == 0 {
			chunks.Put(in.blocks.pop())
			in.start = 0
		}
	}
	return done
}
