package protocol

import (
	"errors"
	"io"
	"sync"
)

// small payloads live in the Reader itself, so that an idle link holds no large buffer.
const small = 128

// Buffer has room for the largest payload.
type Buffer [MaxPayload]byte

var payloads = sync.Pool{New: func() any { return new(Buffer) }}

// Recycle takes back a Buffer that nobody uses any more.
func Recycle(b *Buffer) { payloads.Put(b) }

// Reader reads frames from one link. It holds a large buffer only while a large payload is in use.
type Reader struct {
	r      io.Reader
	header [HeaderSize]byte
	small  [small]byte
	large  *Buffer
}

// NewReader returns a Reader of r. It never reads past the end of the frame that it returns.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Next reads one frame. The frame's payload is valid until the next call.
//
// Errors: a *Violation for a header that breaks a rule (nothing of the payload has been read then);
// io.EOF at the end of the link between frames; io.ErrUnexpectedEOF inside one; otherwise the
// link's own error.
func (r *Reader) Next() (Frame, error) {
	if r.large != nil {
		Recycle(r.large)
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
		r.large = payloads.Get().(*Buffer)
		payload = r.large[:]
	}
	payload = payload[:h.Length]
	if _, err := io.ReadFull(r.r, payload); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return Frame{Header: h}, err
	}
	return Frame{Header: h, Payload: payload, from: r}, nil
}

// Detach gives the caller the Buffer that holds the payload of the frame from Next, so that it need
// not be copied: the payload stays valid until the Buffer is given to Recycle. It is nil for a
// small payload, which must be copied.
func (f Frame) Detach() *Buffer {
	if f.from == nil {
		return nil
	}
	b := f.from.large
	f.from.large = nil
	return b
}
