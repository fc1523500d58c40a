package editor

import (
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
	notes   <-chan string   // Config.Notes; nil: there are none
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

// errOutput is what input.wait returns when output is to be shown above the edited line.
var errOutput = errors.New("output waits to be shown")

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
