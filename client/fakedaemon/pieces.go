package fakedaemon

import (
	"encoding/binary"
	"slices"
	"sync"

	"minissh/protocol"
)

// Pieces notes where the records of TLS, or the frames of a Unix socket, end in a flow.
type Pieces struct {
	size   int // of a header
	length func(header []byte) int64

	mu      sync.Mutex // guards the rest
	ends    []int64
	header  []byte
	passed  int64
	pending int64 // bytes of the piece under way
}

// Records are TLS's.
func Records() *Pieces {
	return &Pieces{size: 5, length: func(header []byte) int64 {
		return int64(binary.BigEndian.Uint16(header[3:]))
	}}
}

// Frames are those of a link without TLS.
func Frames() *Pieces {
	return &Pieces{size: protocol.HeaderSize, length: func(header []byte) int64 {
		return int64(binary.BigEndian.Uint32(header))
	}}
}

// See is for Flow.Watch.
func (r *Pieces) See(p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(p) > 0 {
		n := min(int64(len(p)), r.pending)
		if r.pending > 0 {
			r.pending -= n
		} else {
			n = int64(min(len(p), r.size-len(r.header)))
			r.header = append(r.header, p[:n]...)
			if len(r.header) < r.size {
				r.passed += n
				return
			}
			r.pending, r.header = r.length(r.header), r.header[:0]
		}
		r.passed += n
		if p = p[n:]; r.pending == 0 {
			r.ends = append(r.ends, r.passed)
		}
	}
}

// Ends is how many bytes had passed at the end of each piece so far.
func (r *Pieces) Ends() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ends)
}

// Places are around each end of a piece, in its middle, and in the next header.
func (r *Pieces) Places() (at []int64) {
	at = append(at, 0, 1)
	last := int64(0)
	for _, end := range r.Ends() {
		at = append(at, end-1, end, end+1, end+4, (last+end)/2)
		last = end
	}
	slices.Sort(at)
	return slices.Compact(at)
}
