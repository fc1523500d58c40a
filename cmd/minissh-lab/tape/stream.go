package tape

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/speak"
)

// shape is how a direction's messages begin.
type shape int

const (
	requests shape = iota // the client's: a command, or what has a length or a header
	raw                   // without a boundary: nothing to decode
	digits                // decimal digits, then data
	lengths               // four bytes of length, then data
	headers               // four bytes of header length, JSON, then data
)

const (
	maxData  = 64 << 20 // the longest data that a length is believed for, as in package dialect
	maxShown = 40       // bytes of data in a Value
)

// stream is one direction. Between two calls, part holds the beginning of what is not complete:
// at most one header or one command.
type stream struct {
	way   Way
	shape shape
	big   bool

	at      int64  // where part begins
	part    []byte // not yet part of a field
	message int
	dead    bool // a length was not believable: where the next message begins is not known

	want   int    // of a header that has been announced; 0: none
	left   int64  // of data that has been announced
	size   int64  // of that data in all
	sample []byte // its first bytes
}

// feed takes the next piece.
func (s *stream) feed(b []byte, out *[]Note) {
	if s.dead || s.shape == raw {
		s.at += int64(len(b))
		return
	}
	if len(s.part) > 0 {
		b = append(s.part, b...)
	}
	for whole := true; len(b) > 0 && whole && !s.dead; {
		if s.left > 0 {
			b = s.data(b, out)
			continue
		}
		var used int
		s.part = b
		used, whole = s.step(out)
		s.at += int64(used)
		b = b[used:]
	}
	if s.dead {
		s.at, b = s.at+int64(len(b)), nil
	}
	s.part = bytes.Clone(b) // the caller's own, and what has been used is let go
}

// data takes bytes that were announced, and returns the others.
func (s *stream) data(b []byte, out *[]Note) (rest []byte) {
	n := int(min(s.left, int64(len(b))))
	s.sample = append(s.sample, b[:min(n, maxShown-len(s.sample))]...)
	s.left -= int64(n)
	s.at += int64(n)
	if s.left == 0 {
		value := speak.Quote(s.sample)
		if s.size > maxShown {
			value = fmt.Sprintf("%s…(+%d)", value, s.size-maxShown)
		}
		*out = append(*out, Note{Field: Field{Way: s.way, From: s.at - s.size, To: s.at,
			Name: "data", Value: value, Message: s.message}})
		s.next()
	}
	return b[n:]
}

// announce begins data of so many bytes.
func (s *stream) announce(n int64) {
	s.want, s.left, s.size, s.sample = 0, n, n, nil
	if n == 0 {
		s.next()
	}
}

func (s *stream) next() { s.message, s.sample, s.size = s.message+1, nil, 0 }

// step takes the next field from part, whose used bytes are then done with. whole is false if more
// bytes are needed.
func (s *stream) step(out *[]Note) (used int, whole bool) {
	switch {
	case s.want > 0:
		return s.header(out)
	case s.shape == requests:
		return s.request(out)
	case s.shape == digits:
		n, rest, err := dialect.ParseAckLength(s.part, maxData)
		if err != nil {
			return s.disbelieve(err, out)
		}
		used = len(s.part) - len(rest)
		s.number("digits", used, strconv.Itoa(n), "", out)
		s.announce(int64(n))
		return used, true
	}
	if len(s.part) < dialect.LengthSize {
		return 0, false
	}
	most := int64(maxData)
	if s.shape == headers {
		most = dialect.MaxHeader
	}
	n, err := dialect.DecodeLength(s.big, s.part, most)
	if err != nil {
		return s.disbelieve(err, out)
	}
	s.length(n, s.shape == headers, s.big, out)
	return dialect.LengthSize, true
}

// length is four bytes that announce n bytes: a header, or data.
func (s *stream) length(n int, header, big bool, out *[]Note) {
	name, endian := "length", "little"
	if header {
		name = "header_length"
	}
	if big {
		endian = "big"
	}
	s.number(name, dialect.LengthSize, strconv.Itoa(n), endian, out)
	if header && n > 0 {
		s.want = n
		return
	}
	s.announce(int64(n))
}

// number adds the field of the first n bytes of part.
func (s *stream) number(name string, n int, value, endian string, out *[]Note) {
	*out = append(*out, Note{Field: Field{Way: s.way, From: s.at, To: s.at + int64(n), Name: name,
		Value: value, Bytes: bytes.Clone(s.part[:n]), Endian: endian, Message: s.message}})
}

// text adds the field of the first n bytes of part as text.
func (s *stream) text(name string, n int, out *[]Note) {
	*out = append(*out, Note{Field: Field{Way: s.way, From: s.at, To: s.at + int64(n), Name: name,
		Value: speak.QuoteShort(s.part[:n], 400), Message: s.message}})
}

// header is JSON of s.want bytes, which says how much data follows.
func (s *stream) header(out *[]Note) (used int, whole bool) {
	n := s.want
	if len(s.part) < n {
		return 0, false
	}
	s.text("json", n, out)
	h, err := dialect.ParseHeader(s.part[:n])
	if err != nil {
		return s.disbelieve(err, out)
	}
	s.announce(max(h.Size, 0)) // a request for a file has no size
	return n, true
}

// request is what a client begins: `ls`, `put a.txt` and at once a header, a header, a length.
func (s *stream) request(out *[]Note) (used int, whole bool) {
	b := s.part
	if len(b) < dialect.LengthSize {
		if bytes.IndexByte(b, 0) >= 0 {
			return 0, false // part of a number: no command has a zero byte
		}
		return s.command(len(b), out)
	}
	for _, big := range []bool{s.big, !s.big} {
		n, err := dialect.DecodeLength(big, b, dialect.MaxHeader)
		if err != nil || n == 0 {
			continue
		}
		if len(b) == dialect.LengthSize {
			return 0, false // the next byte tells whether it is a header
		}
		s.length(n, b[dialect.LengthSize] == '{', big, out)
		return dialect.LengthSize, true
	}
	near := b[:min(len(b), dialect.MaxCommand+dialect.LengthSize+1)]
	for _, big := range []bool{s.big, !s.big} {
		if command, _, ok := dialect.SplitPut(big, near); ok {
			return s.command(len(command), out)
		}
	}
	return s.command(len(b), out)
}

// command is an unframed one: as in the course, one read is taken for one command.
func (s *stream) command(n int, out *[]Note) (used int, whole bool) {
	name := "command"
	if string(s.part[:n]) == dialect.AckText {
		name = "ack"
	}
	s.text(name, n, out)
	s.next()
	return n, true
}

// disbelieve gives up: without the length, nobody knows where the next message begins.
func (s *stream) disbelieve(err error, out *[]Note) (used int, whole bool) {
	s.dead = true
	zh, en, _, _ := dialect.Explain(err)
	var length *dialect.LengthError
	if errors.As(err, &length) && length.Bytes != "" {
		q := speak.Quote([]byte(length.Bytes))
		zh = fmt.Sprintf("长度 %d（% x，即 %s）不可信", length.N, length.Bytes, q)
		en = fmt.Sprintf("a length of %d (% x, which is %s) cannot be", length.N, length.Bytes, q)
	}
	remark(out, s.arrow()+zh+"：从这里起不再解码（换一种方言：--dialect）",
		s.arrow()+en+": not decoded from here on (another dialect: --dialect)")
	return 0, true
}

func (s *stream) arrow() string {
	if s.way == Up {
		return "→ "
	}
	return "← "
}

// end says what the direction's end, or the connection's, has cut in two.
func (s *stream) end(out *[]Note) {
	came, of, zh, en := int64(len(s.part)), int64(dialect.LengthSize), "长度", "a length"
	switch {
	case s.left > 0:
		came, of, zh, en = s.size-s.left, s.size, "数据", "data"
	case s.want > 0:
		of, zh, en = int64(s.want), "报头", "a header"
	}
	if s.dead || came == 0 && s.left == 0 && s.want == 0 {
		return
	}
	s.dead = true // said once
	remark(out, fmt.Sprintf("%s在%s中间结束：收到 %d / %d 字节", s.arrow(), zh, came, of),
		fmt.Sprintf("%sit ended inside %s: %d of %d bytes came", s.arrow(), en, came, of))
}
