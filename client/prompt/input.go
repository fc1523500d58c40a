package prompt

import (
	"bytes"
	"context"
	"errors"
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

// wait returns the next bytes, at least one, or an error: the stream's, ctx's
// cause, errSignalled, errNote or errOutput.
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
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// maxLine is the longest line that is read from a pipe, in bytes.
const maxLine = 1 << 20

var errLineTooLong = errors.New("the line is longer than 1 MiB and was left out")

// lineReader cuts a stream into lines.
type lineReader struct {
	in   *input
	buf  []byte
	skip bool // in a line that is too long
}

// next returns a line without its end (LF or CRLF), which the last line may lack. After
// errLineTooLong the next line can be read; io.EOF is the end.
func (r *lineReader) next(ctx context.Context) (string, error) {
	searched := 0
	for {
		if i := bytes.IndexByte(r.buf[searched:], '\n'); i >= 0 {
			line := r.buf[:searched+i]
			r.buf = r.buf[searched+i+1:]
			if r.skip || len(line) > maxLine {
				r.skip = false
				return "", errLineTooLong
			}
			return string(bytes.TrimSuffix(line, []byte("\r"))), nil
		}
		if searched = len(r.buf); searched > maxLine {
			r.buf, searched, r.skip = r.buf[:0], 0, true
		}
		data, err := r.in.wait(ctx)
		switch {
		case err == io.EOF && r.skip:
			r.skip, r.buf = false, nil
			return "", errLineTooLong
		case err == io.EOF && len(r.buf) > 0:
			line := string(bytes.TrimSuffix(r.buf, []byte("\r")))
			r.buf = nil
			return line, nil
		case err != nil:
			return "", err
		}
		r.buf = append(r.buf, data...)
	}
}
