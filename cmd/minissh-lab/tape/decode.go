package tape

import (
	"strings"

	"minissh/cmd/minissh-lab/dialect"
)

// Field is some bytes of one direction and what they are.
type Field struct {
	Way      Way
	From, To int64  // the bytes From … To-1 of the direction, from 0
	Name     string // command, ack, length, header_length, json, digits, data
	Value    string // quoted where it comes from the other side
	Bytes    []byte // of a number: as it travelled; else nil
	Endian   string // little, big, or ""
	Message  int    // which message of the direction it belongs to, from 0
}

// Note is something that an event has completed: a field, or a remark about the connection, which
// has words instead (safe for a terminal).
type Note struct {
	Field
	Zh, En string
}

// Decoder finds the course's lengths and headers in one connection. What the client sends is
// understood in every dialect alike: a command, or bytes with a length or a header, and four bytes
// of text are never a small number. What the server sends is understood by its dialect, which is
// guessed from its first answer, like --dialect auto. One goroutine uses it. It holds at most one
// header of each direction.
type Decoder struct {
	d       *dialect.Dialect // nil until it is guessed
	big     bool             // byte order of the server's lengths
	command []byte           // the client's last piece, MaxCommand bytes at most
	first   []byte           // the server's first answer, while it is too short for a guess
	up      stream
	down    stream
}

// NewDecoder decodes d, or guesses if d is nil. bigEndian is for a d that is given.
func NewDecoder(d *dialect.Dialect, bigEndian bool) *Decoder {
	x := &Decoder{up: stream{way: Up}, down: stream{way: Down}}
	if d != nil {
		x.speak(d, bigEndian)
	}
	return x
}

// Dialect is what is decoded; nil while it is not known.
func (x *Decoder) Dialect() *dialect.Dialect { return x.d }

// Event takes the next event of the connection.
func (x *Decoder) Event(e Event) (out []Note) {
	if x.d == nil && len(x.first) > 0 && e.Way != Down {
		x.guess(&out) // the server waits: it has said what it had to say
	}
	switch e.Kind {
	case Data:
		if e.Way == Up {
			x.command = append([]byte(nil), e.Data[:min(len(e.Data), dialect.MaxCommand)]...)
			x.up.feed(e.Data, &out)
			return out
		}
		if x.d != nil {
			x.down.feed(e.Data, &out)
			return out
		}
		x.first = append(x.first, e.Data...)
		if dialect.Enough(x.first) || len(x.first) > dialect.MaxHeader {
			x.guess(&out)
		}
	case End, Reset:
		if e.Way == Down && x.d == nil && len(x.first) > 0 {
			x.guess(&out)
		}
		x.stream(e.Way).end(&out)
		if e.Kind == Reset {
			x.stream(opposite(e.Way)).end(&out)
		}
	}
	return out
}

func (x *Decoder) stream(w Way) *stream {
	if w == Up {
		return &x.up
	}
	return &x.down
}

func opposite(w Way) Way {
	if w == Up {
		return Down
	}
	return Up
}

// guess decides from the first answer, and decodes it.
func (x *Decoder) guess(out *[]Note) {
	d, bigEndian, certain := dialect.Guess(x.first, string(x.command))
	if headerBegins(bigEndian, x.first) && d.Name == "simple" {
		d, certain = dialect.Find("ultimate"), false // its JSON was cut off
	}
	sure, sureEn := "看起来是", "looks like"
	if !certain {
		sure, sureEn = "可能是", "perhaps"
	}
	chapter := "chapter "
	if strings.Contains(d.Chapters, "-") {
		chapter = "chapters "
	}
	remark(out, sure+" "+d.Name+"（第 "+d.Chapters+" 章）："+d.Zh,
		sureEn+" "+d.Name+" ("+chapter+d.Chapters+"): "+d.En)
	x.speak(d, bigEndian)
	first := x.first
	x.first = nil
	x.down.feed(first, out)
}

// headerBegins reports a length of a header with its first byte after it.
func headerBegins(bigEndian bool, b []byte) bool {
	if len(b) <= dialect.LengthSize || b[dialect.LengthSize] != '{' {
		return false
	}
	_, err := dialect.DecodeLength(bigEndian, b, dialect.MaxHeader)
	return err == nil
}

func remark(out *[]Note, zh, en string) { *out = append(*out, Note{Zh: zh, En: en}) }

// speak sets what the server's bytes are.
func (x *Decoder) speak(d *dialect.Dialect, bigEndian bool) {
	x.d, x.big = d, bigEndian
	x.down.big = bigEndian
	switch d.Name {
	case "ack":
		x.down.shape = digits
	case "simple":
		x.down.shape = lengths
	case "ultimate", "file", "oo":
		x.down.shape = headers
	default:
		x.down.shape = raw
	}
}
