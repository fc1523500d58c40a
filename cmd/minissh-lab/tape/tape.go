package tape

import (
	"sync"
	"time"
)

// Bounds of a run, as a Tape keeps and as Read accepts.
const (
	MaxBytes  = 16 << 20 // of data in all
	MaxEvents = 100_000  // so that a run of single bytes stays small as well
	MaxCalls  = 100_000  // of a tracer, beside the events
	MaxConns  = 1000
	MaxPiece  = 64 << 10 // bytes of data in an event
	MaxTitle  = 200      // bytes
)

// Way is a direction of a connection; "" in an event that has none.
type Way string

const (
	Up   Way = "up"   // client to server
	Down Way = "down" // server to client
)

// Kind is what happened.
type Kind string

const (
	Open    Kind = "open"    // the client connected to the relay
	Refused Kind = "refused" // the server could not be reached: the connection is over
	Data    Kind = "data"    // one read of the relay returned Event.Data
	End     Kind = "end"     // FIN: this side sends nothing any more
	Reset   Kind = "reset"   // RST from this side: the connection is over
	Full    Kind = "full"    // a bound is reached: nothing is recorded from here on
	Send    Kind = "send"    // a program's send returned: Event.Size
	Recv    Kind = "recv"    // a program's recv returned: Event.Size, of Event.Ask
)

// Event is one thing that happened. The rules are in the package's comment.
type Event struct {
	Conn     int    `json:"conn"` // from 1; 0 for Full
	At       int64  `json:"at"`   // microseconds since the run began
	Kind     Kind   `json:"kind"`
	Way      Way    `json:"way,omitempty"`
	Data     []byte `json:"data,omitempty"`
	Segments int    `json:"segments,omitempty"` // 0: not known
	Size     int    `json:"size,omitempty"`     // of Send and Recv
	Ask      int    `json:"ask,omitempty"`      // of Recv; 0: not known
}

// call reports what a tracer saw.
func (e Event) call() bool { return e.Kind == Send || e.Kind == Recv }

// Tape is a run in memory. Its methods may be called from any goroutine; nothing in an event
// changes after it was added.
type Tape struct {
	began time.Time
	now   func() time.Duration // since began

	mu     sync.Mutex
	events []Event       // owned by mu: only ever appended to
	conns  []state       // owned by mu: by number, 0 is not a connection
	bytes  int           // owned by mu
	full   bool          // owned by mu
	closed bool          // owned by mu
	wake   chan struct{} // owned by mu: closed and replaced at every change
}

// New begins a run now.
func New() *Tape {
	t := &Tape{began: time.Now(), conns: []state{{}}, wake: make(chan struct{})}
	t.now = func() time.Duration { return time.Since(t.began) }
	return t
}

// Began is when the run began.
func (t *Tape) Began() time.Time { return t.began }

// Connect adds the Open of a new connection and returns its number, 0 if the tape is full.
func (t *Tape) Connect() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.conns)
	if n > MaxConns {
		t.stop()
		return 0
	}
	if !t.add(Event{Conn: n, Kind: Open}) {
		return 0
	}
	t.conns = append(t.conns, state{})
	return n
}

// Add adds an event of a connection that Connect has numbered; At is set here. Data is copied. At
// a bound, the tape gets Full in its place, and nothing after it. Dropped are events of connection
// 0, which came when the tape was full, and those that rule 6 forbids: the two directions of a
// connection are read by two goroutines, and one may have a last piece when the other has a reset.
func (t *Tape) Add(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.Conn > 0 && t.conns[e.Conn].event(e) == "" {
		t.add(e)
	}
}

// AddCalls adds what a tracer saw, in the order of time and with At set, and closes the tape. Calls
// of connections that are not recorded are dropped, and those beyond MaxCalls.
func (t *Tape) AddCalls(calls []Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	for i, e := range calls {
		if i < MaxCalls && e.Conn > 0 && e.Conn < len(t.conns) {
			t.events = append(t.events, e)
		}
	}
	t.closed = true
	t.changed()
}

// add is Add with mu held; false if e was not recorded.
func (t *Tape) add(e Event) bool {
	if t.full || t.closed {
		return false
	}
	// The last place is for Full.
	if len(t.events)+1 >= MaxEvents || t.bytes+len(e.Data) > MaxBytes {
		t.stop()
		return false
	}
	e.Data = append([]byte(nil), e.Data...)
	t.bytes += len(e.Data)
	t.append(e)
	return true
}

// stop says that a bound is reached, once. mu is held.
func (t *Tape) stop() {
	if !t.full && !t.closed {
		t.full = true
		t.append(Event{Kind: Full})
	}
}

func (t *Tape) append(e Event) {
	e.At = t.now().Microseconds()
	t.events = append(t.events, e)
	t.changed()
}

func (t *Tape) changed() {
	close(t.wake)
	t.wake = make(chan struct{})
}

// Close says that nothing more comes. What is added after it is dropped.
func (t *Tape) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.closed = true
		t.changed()
	}
}

// Closed says whether Close was called.
func (t *Tape) Closed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

// From returns the events from number n (0 is the first). With none of them, more is closed when
// there is one, or when the tape is closed; more is nil if it is closed already.
func (t *Tape) From(n int) (events []Event, more <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n < len(t.events) {
		return t.events[n:len(t.events):len(t.events)], t.wake
	}
	if t.closed {
		return nil, nil
	}
	return nil, t.wake
}

// Follow hands each event to f, in order, until the tape is closed and f has had them all. The
// tape never waits for f.
func (t *Tape) Follow(f func([]Event)) {
	for n := 0; ; {
		events, more := t.From(n)
		if len(events) == 0 {
			if more == nil {
				return
			}
			<-more
			continue
		}
		f(events)
		n += len(events)
	}
}
