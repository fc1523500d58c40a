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
	data   int                // data bytes inside
	blocks []*[chunkSize]byte // the bytes of all runs, one behind the other
	start  int                // of the first byte in the first block
	runs   []run
}

// run is a number of data bytes of one type, or a mark.
type run struct {
	kind    protocol.Type
	bytes   int
	eof     bool // the mark says that data of this type has ended
	message any  // what the mark carries
}

func (in *inbox) empty() bool { return len(in.runs) == 0 }

// put appends data. A peer that sends single bytes makes no more runs than one that sends large frames.
func (in *inbox) put(kind protocol.Type, p []byte) {
	if last := len(in.runs) - 1; last >= 0 && in.runs[last].kind == kind && !in.runs[last].eof {
		in.runs[last].bytes += len(p)
	} else {
		in.runs = append(in.runs, run{kind: kind, bytes: len(p)})
	}
	for len(p) > 0 {
		end := in.start + in.data
		if end == len(in.blocks)*chunkSize {
			in.blocks = append(in.blocks, chunks.Get().(*[chunkSize]byte))
		}
		n := copy(in.blocks[end/chunkSize][end%chunkSize:], p)
		in.data += n
		p = p[n:]
	}
}

// mark appends an event that has its place among the data.
func (in *inbox) mark(kind protocol.Type, message any, eof bool) {
	in.runs = append(in.runs, run{kind: kind, message: message, eof: eof})
}

// take removes the next mark, or as many bytes of the next run as fit p. The inbox is not empty.
func (in *inbox) take(p []byte) Event {
	first := &in.runs[0]
	event := Event{Type: first.kind, EOF: first.eof, Message: first.message}
	if first.bytes > 0 {
		event.N = in.copyOut(p[:min(len(p), first.bytes)])
		if first.bytes -= event.N; first.bytes > 0 {
			return event
		}
	}
	in.runs[0] = run{}
	if in.runs = in.runs[1:]; len(in.runs) == 0 {
		in.runs = nil
	}
	return event
}

func (in *inbox) copyOut(p []byte) int {
	done := 0
	for done < len(p) {
		n := copy(p[done:], in.blocks[0][in.start:min(chunkSize, in.start+in.data)])
		done += n
		in.data -= n
		if in.start += n; in.start == chunkSize || in.data == 0 {
			chunks.Put(in.blocks[0])
			in.blocks[0] = nil
			in.blocks = in.blocks[1:]
			in.start = 0
		}
	}
	if len(in.blocks) == 0 {
		in.blocks = nil
	}
	return done
}
