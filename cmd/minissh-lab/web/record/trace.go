package record

// Kinds of Event.
const (
	KindSend    = "send"    // the sender's send() returned
	KindSegment = "segment" // segments left, seen by TCP_INFO
	KindBuffer  = "buffer"  // the receive buffer holds something else than before, seen by FIONREAD
	KindRecv    = "recv"    // the receiver's recv() returned
	KindMessage = "message" // the receiving program took bytes for a message
	// the receiving program sent its recv_ready, and the sender has received it
	KindAck   = "ack"
	KindClose = "close" // the sender closed its side
	KindBlock = "block" // the sender's send() waits: of Ask bytes the system has taken From … To-1
	KindFrame = "frame" // live: the client wrote this frame, or read it
)

// Event is one thing that happened. From and To are places in the stream: the bytes
// From … To-1.
type Event struct {
	At   int64  `json:"at"` // microseconds since the run began
	Kind string `json:"kind"`
	N    int    `json:"n"` // counts events of this kind, from 1; KindSegment: of the first segment
	From int    `json:"from"`
	To   int    `json:"to"`
	// KindSegment: how many. More than 1: where one ends and the next begins was not seen
	Count int `json:"count,omitempty"`
	// KindSegment: they left between Since and At. KindAck: when the receiving program sent it.
	// KindSend: when it was called, if it had to wait for room
	Since int64 `json:"since,omitempty"`
	// KindSend, KindSegment: bytes that wait at the sender, in no segment yet
	Held int `json:"held,omitempty"`
	Ask  int `json:"ask,omitempty"` // KindRecv: n of recv(n). KindBlock: bytes of the send
	// KindRecv: FIONREAD just before; -1 unknown. Live: of TLS bytes
	Ready int `json:"ready"`
	// live: TLS bytes that went for it, all records with their 22 bytes each
	Wire int `json:"wire,omitempty"`
}

// Field is some bytes of the stream and what they are.
type Field struct {
	From    int    `json:"from"`
	To      int    `json:"to"`
	Name    string `json:"name"` // a word that the page translates
	Value   string `json:"value"`
	Endian  string `json:"endian,omitempty"` // little, big
	Message int    `json:"message"`          // from 0; -1 none
}

// Message is a message as the sender meant it, or what the receiver took for one.
type Message struct {
	From int    `json:"from"` // in the stream; with the header, if there is one
	To   int    `json:"to"`
	Text string `json:"text"` // quoted, shortened
	Size int    `json:"size"` // bytes of the message itself
}

// Ack is what TCP itself has told the sender: all bytes before To have arrived, and there is room
// for Window more.
type Ack struct {
	At     int64 `json:"at"`    // microseconds since the run began
	Since  int64 `json:"since"` // it came between Since and At
	To     int   `json:"to"`
	Window int   `json:"window"`
}

// Trace is what one connection was seen to do, in one direction.
type Trace struct {
	Name    string    `json:"name"` // broken, fixed, nagle, nodelay; up, down of a live connection
	Framing string    `json:"framing"`
	NoDelay bool      `json:"nodelay"`
	Bytes   []byte    `json:"bytes"` // base64 in JSON
	Fields  []Field   `json:"fields"`
	Sent    []Message `json:"sent"`
	Got     []Message `json:"got"`
	Events  []Event   `json:"events"`
	// as seen by TCP_INFO; none: not known
	Acks     []Ack `json:"acks,omitempty"`
	Right    bool  `json:"right"`    // the receiver took for messages what was sent
	Segments int   `json:"segments"` // with data, by the last look; -1 unknown
	// recorded: sends are guessed; recvs were seen
	Guessed bool `json:"guessed,omitempty"`
	Seen    bool `json:"seen,omitempty"`
	// live: bytes of the TLS handshake before the first frame
	Setup int `json:"setup,omitempty"`
	// what waits in the receive buffer is known on this system
	Buffer bool `json:"buffer"`
	// milliseconds, one way, that were simulated
	Latency int `json:"latency,omitempty"`
}

// Sound says whether a trace can be drawn: everything in it is a place of its bytes, and there is
// not more of it than any run has.
func (t *Trace) Sound() bool {
	inside := func(from, to int) bool { return from >= 0 && to >= from && to <= len(t.Bytes) }
	if len(t.Events) > 2*maxEvents || len(t.Acks) > 2*maxEvents || len(t.Fields) > 4*maxEvents ||
		len(t.Sent) > 2*maxEvents || len(t.Got) > 2*maxEvents {
		return false
	}
	for _, e := range t.Events {
		if !inside(e.From, e.To) || e.At < 0 || e.Since < 0 ||
			e.Kind == KindFrame && (e.N < 1 || e.N > len(t.Sent)) {
			return false
		}
	}
	for _, a := range t.Acks {
		if !inside(0, a.To) || a.At < 0 || a.Since < 0 {
			return false
		}
	}
	for _, f := range t.Fields {
		if !inside(f.From, f.To) {
			return false
		}
	}
	for _, m := range append(t.Sent[:len(t.Sent):len(t.Sent)], t.Got...) {
		if !inside(m.From, m.To) {
			return false
		}
	}
	return true
}
