package run

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"minissh/client/dial"
	"minissh/protocol/mux"
)

// Result is what is known of a command, for whoever writes it down (--outcome). Its methods may be
// called on nil, and then do nothing.
type Result struct {
	out, err atomic.Int64 // bytes of output

	mu      sync.Mutex // guards the rest
	conn    *dial.Connection
	ch      *mux.Channel
	began   time.Time
	outcome *Outcome
	failure error
}

// Facts are a Result at one moment.
type Facts struct {
	Conn         *dial.Connection // nil: there was no login
	Began        time.Time        // when the command did; zero: it did not, as far as is known
	Outcome      *Outcome         // nil: it is not known
	Failure      error            // why; nil: nothing has failed
	In, Out, Err int64            // bytes of its streams
}

// Began notes the command that was asked for.
func (r *Result) Began(conn *dial.Connection, ch *mux.Channel) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conn, r.ch, r.began = conn, ch, time.Now()
}

// BeganAt notes that a command had begun before.
func (r *Result) BeganAt(at time.Time) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began = at
}

// Ended notes how the command ended, Failed why that is not known.
func (r *Result) Ended(o *Outcome) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcome = o
}

// Failed notes what Ended cannot.
func (r *Result) Failed(err error) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failure = err
}

// Left notes that the user left.
func (r *Result) Left(l *Left) {
	if l.Outcome != nil {
		r.Ended(l.Outcome)
	}
}

// Facts are what is known now.
func (r *Result) Facts() Facts {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := Facts{Conn: r.conn, Began: r.began, Outcome: r.outcome, Failure: r.failure,
		Out: r.out.Load(), Err: r.err.Load()}
	if r.ch != nil {
		// the command itself does not count
		f.In = max(0, int64(r.ch.Sent())-r.ch.Request().Length)
	}
	return f
}

// OutTo and ErrTo have what passes to a writer counted as the command's standard output or error.
func (r *Result) OutTo(w io.Writer) io.Writer {
	if r == nil {
		return w
	}
	return count(w, &r.out)
}

func (r *Result) ErrTo(w io.Writer) io.Writer {
	if r == nil {
		return w
	}
	return count(w, &r.err)
}

// count counts the bytes that a writer takes.
func count(to io.Writer, n *atomic.Int64) io.Writer {
	c := counter{to, n}
	if _, ok := to.(mux.TryWriter); ok {
		return &tryCounter{c}
	}
	return &c
}

type counter struct {
	to io.Writer
	n  *atomic.Int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// tryCounter is a counter of what may write without waiting.
type tryCounter struct{ counter }

func (c *tryCounter) TryWrite(p []byte) int {
	n := c.to.(mux.TryWriter).TryWrite(p)
	c.n.Add(int64(n))
	return n
}
