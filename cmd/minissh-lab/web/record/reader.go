package record

import (
	"bytes"
	"strings"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/speak"
	"minissh/protocol"
)

// reader is the receiving program. It is told what each recv returned, and says
// what it asks for next and what it takes for a message.
type reader struct {
	framing string
	recv    int // n of recv(n)
	width   int // fixed
	rest    []byte
	at      int // place in the stream of rest's first byte
	digits  int // ack: the length that was announced; -1 none yet
	head    int // ack: how many digits those were

	got   []Message
	texts [][]byte
	acks  int // recv_ready that it wants to send
	lost  bool
}

func newReader(framing string, recv, width int) *reader {
	return &reader{framing: framing, recv: recv, width: width, digits: -1}
}

// ask is what the program calls recv with now: what is wanted, at most recv.
func (r *reader) ask() int {
	want := r.recv
	switch r.framing {
	case "fixed":
		want = r.width - len(r.rest)
	case "ack":
		if r.digits >= 0 {
			want = r.digits - len(r.rest)
		}
	case "simple", "ultimate", "minissh", "put":
		want = r.needed() - len(r.rest)
	}
	return max(1, min(want, r.recv))
}

// part is the framing of the message that is being read: put has two.
func (r *reader) part() string {
	switch {
	case r.framing == "put" && len(r.got) == 0:
		return "simple"
	case r.framing == "put":
		return "ultimate"
	}
	return r.framing
}

// needed is how many bytes must have been collected for the next decision.
func (r *reader) needed() int {
	switch r.part() {
	case "minissh":
		if len(r.rest) < protocol.HeaderSize {
			return protocol.HeaderSize
		}
		h, err := protocol.ParseHeader(r.rest)
		if r.lost = err != nil; r.lost {
			return protocol.HeaderSize
		}
		return protocol.HeaderSize + int(h.Length)
	case "ultimate":
		head, n := r.length(0, dialect.MaxHeader)
		if len(r.rest) < head+n || r.lost || n < 0 {
			return head + max(n, 0)
		}
		h, err := dialect.ParseHeader(r.rest[head : head+n])
		if r.lost = err != nil; r.lost {
			return head + n
		}
		return head + n + int(h.Size)
	default:
		head, n := r.length(0, 1<<20)
		return head + max(n, 0)
	}
}

// length reads the course's length; n is -1 while it is not there.
func (r *reader) length(from int, most int64) (head, n int) {
	if len(r.rest) < from+dialect.LengthSize {
		return dialect.LengthSize, -1
	}
	n, err := dialect.DecodeLength(false, r.rest[from:], most)
	if r.lost = err != nil; r.lost {
		return dialect.LengthSize, -1
	}
	return dialect.LengthSize, n
}

// feed takes what one recv returned and reports how many messages that completed.
func (r *reader) feed(b []byte) int {
	before := len(r.got)
	r.rest = append(r.rest, b...)
	switch r.framing {
	case "none", NaivePut:
		r.take(len(r.rest), r.rest)
	case "fixed":
		for len(r.rest) >= r.width {
			r.take(r.width, []byte(strings.TrimRight(string(r.rest[:r.width]), " ")))
		}
	case "delimiter":
		for {
			end := bytes.IndexByte(r.rest, Delimiter)
			if end < 0 {
				break
			}
			r.take(end+1, r.rest[:end])
		}
	case "ack":
		r.feedAck()
	default:
		r.feedLengths()
	}
	return len(r.got) - before
}

func (r *reader) feedAck() {
	if r.digits < 0 {
		n, rest, err := dialect.ParseAckLength(r.rest, 1<<20)
		if r.lost = err != nil; r.lost {
			return
		}
		r.head = len(r.rest) - len(rest)
		r.drop(r.head)
		r.digits = n
		r.acks++
	}
	if len(r.rest) >= r.digits {
		n := r.digits
		r.digits = -1
		r.take(n, r.rest[:n])
	}
}

func (r *reader) feedLengths() {
	for {
		before, need := len(r.rest), r.needed()
		complete := before >= need && !r.lost
		head := 0
		switch r.part() {
		case "simple":
			head = dialect.LengthSize
		case "minissh":
			head = protocol.HeaderSize
		case "ultimate":
			n, size := r.length(0, dialect.MaxHeader)
			head = n + max(size, 0)
			complete = complete && size >= 0 && before >= head
		}
		if !complete || before < head {
			return
		}
		r.take(need, r.rest[head:need])
	}
}

// take makes the first n bytes of rest a message whose own bytes are text.
func (r *reader) take(n int, text []byte) {
	text = append([]byte(nil), text...)
	r.got = append(r.got,
		Message{From: r.at - r.head, To: r.at + n, Text: speak.QuoteShort(text, 40),
			Size: len(text)})
	r.texts = append(r.texts, text)
	r.head = 0
	r.drop(n)
}

func (r *reader) drop(n int) {
	r.rest = r.rest[n:]
	r.at += n
}

// right says whether exactly the messages that were sent have come out.
func (r *reader) right(messages [][]byte) bool {
	if len(messages) != len(r.texts) {
		return false
	}
	for i := range messages {
		if !bytes.Equal(messages[i], r.texts[i]) {
			return false
		}
	}
	return true
}
