package editor

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
)

// Reader reads lines where nothing is edited: from a pipe or a file, or on a terminal that
// understands no escape sequences.
type Reader struct {
	in       *input
	terminal *os.File // nil: none
	buf      []byte
	skipped  int // bytes of a line that is too long
}

// NewReader reads lines from a stream. With a terminal, that is where labels are shown, and Ctrl-C
// drops a line; without one (nil) it ends the reading.
func NewReader(from io.Reader, terminal *os.File, signals <-chan os.Signal) *Reader {
	return &Reader{in: newInput(from, signals), terminal: terminal}
}

// Read returns a line, before which a terminal shows the label. The error is io.EOF for the end of
// the input; ErrInterrupted for Ctrl-C on a terminal; *SignalError for a signal that ends the
// reading; *LineError for a line that is too long, after which the next one can be read; or ctx's
// cause.
func (r *Reader) Read(ctx context.Context, label string) (string, error) {
	if r.terminal != nil {
		io.WriteString(r.terminal, label)
	}
	for {
		line, err := r.next(ctx)
		var came errSignalled
		if !errors.As(err, &came) {
			return line, err
		}
		switch KindOf(came.signal) {
		case SignalResize, SignalContinue:
		case SignalStop:
			StopSelf()
		case SignalInterrupt:
			if r.terminal != nil {
				r.buf = nil
				io.WriteString(r.terminal, "\n")
				return "", ErrInterrupted
			}
			return "", &SignalError{came.signal}
		default:
			return "", &SignalError{came.signal}
		}
	}
}

// next returns a line without its end (LF or CRLF), which the last line may lack. After a
// *LineError the next line can be read; io.EOF is the end.
func (r *Reader) next(ctx context.Context) (string, error) {
	searched := 0
	for {
		if i := bytes.IndexByte(r.buf[searched:], '\n'); i >= 0 {
			line := r.buf[:searched+i]
			r.buf = r.buf[searched+i+1:]
			return r.whole(line)
		}
		if searched = len(r.buf); searched > MaxLine {
			r.skipped += searched
			r.buf, searched = r.buf[:0], 0
		}
		data, err := r.in.wait(ctx)
		if err == io.EOF && len(r.buf)+r.skipped > 0 {
			line := r.buf
			r.buf = nil
			return r.whole(line)
		}
		if err != nil {
			return "", err
		}
		r.buf = append(r.buf, data...)
	}
}

// whole is a line that has come whole, unless it is too long.
func (r *Reader) whole(line []byte) (string, error) {
	size := r.skipped + len(line)
	r.skipped = 0
	if err := tooLong(size); err != nil {
		return "", &LineError{err}
	}
	return string(bytes.TrimSuffix(line, []byte("\r"))), nil
}
