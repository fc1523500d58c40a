package protocol

import (
	"errors"
	"io"
	"sync"
)

// small payloads live in the Reader itself, so that an idle link holds no large buffer.
const small = 128

var payloads = sync.Pool{New: func() any { return new([MaxPayload]byte) }}

// Reader reads frames from one link. It holds a large buffer only while a large payload is being looked at.
type Reader struct {
	r      io.Reader
	header [HeaderSize]byte
	small  [small]byte
	large  *[MaxPayload]byte
}

// NewReader returns a Reader of r. It never reads past the end of the frame that it returns.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Next reads one frame. The frame's payload is valid until the next call.
//
// Errors: a *Violation for a header that breaks a rule (nothing of the payload has been read then); io.EOF at the end of
// the link between frames; io.ErrUnexpectedEOF inside one; otherwise the link's own error.
func (r *Reader) Next() (Frame, error) {
	if r.large != nil {
		payloads.Put(r.large)
		r.large = nil
	}
	if _, err := io.ReadFull(r.r, r.header[:]); err != nil {
		return Frame{}, err
	}
	h, err := ParseHeader(r.header[:])
	if err != nil {
		return Frame{Header: h}, err
	}
	payload := r.small[:]
	if h.Length > small {
		r.large = payloads.Get().(*[MaxPayload]byte)
		payload = r.large[:]
	}
	payload = payload[:h.Length]
	if _, err := io.ReadFull(r.r, payload); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return Frame{Header: h}, err
	}
	return Frame{Header: h, Payload: payload}, nil
}
