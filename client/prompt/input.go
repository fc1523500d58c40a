package prompt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// input reads a stream on demand: a read is under way only while someone waits for its bytes, so
// that between two lines a local command may have the terminal for itself. The next wait takes up a
// read that was started and not waited for to the end.
type input struct {
	from    io.Reader
	chunks  chan chunk // holds one, so that the reading goroutine always ends
	pending bool
	signals <-chan os.Signal
	notes   <-chan string   // Config.Notes; nil: nowhere to show them
	news    <-chan struct{} // output waits to be shown; nil while it need not wait
	done    <-chan struct{} // ends what the editor waits for besides input; nil: there is nothing
}

type chunk struct {
	data []byte
	err  error
}

func newInput(from io.Reader, signals <-chan os.Signal) *input {
	return &input{from: from, chunks: make(chan chunk, 1), signals: signals}
}

// errSignalled wraps a signal that came while waiting; the wait can be repeated.
type errSignalled struct{ signal os.Signal }

func (e errSignalled) Error() string { return e.signal.String() }

// errNote is what input.wait returns when something is to be shown below the edited line.
type errNote struct{ text string }

func (e errNote) Error() string { return e.text }

// errDone is what input.wait returns when input.done is closed.
var errDone = errors.New("what the editor waits for is done")

// wait returns the next bytes, at least one, or an error: the stream's, ctx's
// cause, errSignalled, errNote, errOutput or errDone.
func (in *input) wait(ctx context.Context) ([]byte, error) {
	if !in.pending {
		in.pending = true
		go func() {
			data := make([]byte, 16<<10)
			for {
				n, err := in.from.Read(data)
				if n > 0 || err != nil {
					in.chunks <- chunk{data[:n], err}
					return
				}
			}
		}()
	}
	select {
	case c := <-in.chunks:
		in.pending = false
		if len(c.data) > 0 {
			return c.data, nil // an error comes again
		}
		return nil, c.err
	case sig := <-in.signals:
		return nil, errSignalled{sig}
	case note := <-in.notes:
		return nil, errNote{note}
	case <-in.news:
		return nil, errOutput
	case <-in.done:
		return nil, errDone
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// maxLine is the longest line that is run, in bytes.
const maxLine = 1 << 20

// tooLong is the error for a line of so many bytes; nil: it can be run.
func tooLong(bytes int) error {
	if bytes <= maxLine {
		return nil
	}
	return fmt.Errorf("the line has %d bytes, and at most %d (1 MiB) can be sent; nothing of it "+
		"was run", bytes, maxLine)
}

// lineReader cuts a stream into lines.
type lineReader struct {
	in      *input
	buf     []byte
	skipped int // bytes of a line that is too long
}

// next returns a line without its end (LF or CRLF), which the last line may lack. After a
// *LineError the next line can be read; io.EOF is the end.
func (r *lineReader) next(ctx context.Context) (string, error) {
	searched := 0
	for {
		if i := bytes.IndexByte(r.buf[searched:], '\n'); i >= 0 {
			line := r.buf[:searched+i]
			r.buf = r.buf[searched+i+1:]
			return r.whole(line)
		}
		if searched = len(r.buf); searched > maxLine {
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
func (r *lineReader) whole(line []byte) (string, error) {
	size := r.skipped + len(line)
	r.skipped = 0
	if err := tooLong(size); err != nil {
		return "", &LineError{err}
	}
	return string(bytes.TrimSuffix(line, []byte("\r"))), nil
}
