package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"minissh/client/dial"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// sharedDetach is ~d on the terminal of another process, whose command we run.
type sharedDetach struct {
	conn  *dial.Connection
	ch    *mux.Channel
	how   Detach
	said  io.Writer // that terminal
	shown io.Writer
	seen  seen // by the goroutine that shows, and when that has ended
	asked atomic.Pointer[detaching]
}

// Write shows output, and keeps what a job's screen is drawn from.
func (d *sharedDetach) Write(p []byte) (int, error) {
	d.seen.add(p)
	return d.shown.Write(p)
}

// ask asks for a job to be made of what runs.
func (d *sharedDetach) ask() {
	asked := new(detaching)
	if d.asked.CompareAndSwap(nil, asked) {
		asked.finish = d.how(d.conn, d.ch, func(err error) {
			d.asked.CompareAndSwap(asked, nil)
			fmt.Fprintf(d.said, "\r\nminissh: %v\r\n", err)
		})
	}
}

// finish says whether what ran has become a job, and then sees that through. What was typed has
// been read.
func (d *sharedDetach) finish(ctx context.Context, err error) (over bool, _ error) {
	closed, ok := errors.AsType[*Closed](err)
	if d == nil || !ok || closed.Code != protocol.CodeDetached {
		return false, nil
	}
	asked := d.asked.Load()
	if asked == nil || asked.finish == nil {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, detachTime)
	defer cancel()
	return true, asked.finish(ctx, d.seen.newest())
}

// rawLines writes lines to a terminal in raw mode.
type rawLines struct{ to io.Writer }

func (r rawLines) Write(p []byte) (int, error) {
	lines := bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))
	_, err := r.to.Write(append([]byte("\r\n"), lines...))
	return len(p), err
}
