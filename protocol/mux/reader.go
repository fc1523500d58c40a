package mux

import (
	"io"

	"minissh/protocol"
)

// Reader reads the data of one type as an io.Reader, from one goroutine. Other data is dropped. Its
// error is io.EOF after that type's EOF, io.ErrUnexpectedEOF if CLOSE comes first, or the session's
// end.
type Reader struct {
	ch   *Channel
	kind protocol.Type

	// What came besides the data; constant once Rest has returned.
	Exit   *protocol.Exit
	Reason *protocol.Reason // of CLOSE
}

// Reader makes one.
func (c *Channel) Reader(kind protocol.Type) *Reader { return &Reader{ch: c, kind: kind} }

func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		e, err := r.next(p)
		switch {
		case err == io.EOF:
			return 0, io.ErrUnexpectedEOF
		case err != nil:
			return 0, err
		case e.Type != r.kind:
		case e.EOF:
			return 0, io.EOF
		case e.N > 0:
			return e.N, nil
		}
	}
}

// WriteTo is io.WriterTo: it writes the data as it came, without a copy.
func (r *Reader) WriteTo(w io.Writer) (written int64, err error) {
	for {
		e, err := r.ch.Take()
		r.note(e)
		switch {
		case err == io.EOF:
			return written, io.ErrUnexpectedEOF
		case err != nil:
			return written, err
		case e.Type != r.kind:
		case e.EOF:
			return written, nil
		case len(e.Data) > 0:
			n, err := w.Write(e.Data)
			if written += int64(n); err != nil {
				return written, err
			}
		}
	}
}

// Rest reads to the channel's end. The error is the session's, nil after CLOSE.
func (r *Reader) Rest() error {
	var drop [4 << 10]byte
	for {
		if _, err := r.next(drop[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (r *Reader) next(p []byte) (Event, error) {
	e, err := r.ch.Next(p)
	r.note(e)
	return e, err
}

func (r *Reader) note(e Event) {
	switch message := e.Message.(type) {
	case *protocol.Exit:
		r.Exit = message
	case *protocol.Reason:
		r.Reason = message
	}
}
