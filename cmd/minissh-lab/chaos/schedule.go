package chaos

import (
	"unicode/utf8"

	"minissh/cmd/minissh-lab/dialect"
)

// Marks are the places of a message where a cut hurts, as offsets into it.
type Marks struct {
	Length   int // end of the four bytes of length; 0: there is none
	JSON     int // end of the JSON header; 0: there is none
	InChar   int // inside a character of several bytes; 0: there is none
	InHeader int // inside a character of the JSON header; 0: there is none
}

// Find marks a message of the course: an optional length, an optional header, data.
// framed says that it begins with a length.
func Find(bigEndian, framed bool, message []byte) Marks {
	var m Marks
	data := 0
	if framed && len(message) >= dialect.LengthSize {
		m.Length, data = dialect.LengthSize, dialect.LengthSize
		n, err := dialect.DecodeLength(bigEndian, message, dialect.MaxHeader)
		if err == nil && n > 1 && m.Length+n <= len(message) && message[m.Length] == '{' &&
			message[m.Length+n-1] == '}' {
			m.JSON, data = m.Length+n, m.Length+n
			m.InHeader = inChar(message[m.Length:m.JSON], m.Length)
		}
	}
	m.InChar = inChar(message[data:], data)
	return m
}

// inChar is the offset of the second byte of the last character of several bytes in
// b, plus base; 0 if b is ASCII.
func inChar(b []byte, base int) int {
	at := 0
	for i := 0; i < len(b); {
		_, n := utf8.DecodeRune(b[i:])
		if n > 1 {
			at = base + i + 1
		}
		i += n
	}
	return at
}

// Schedule says into which pieces a message is cut. Every schedule is legal: TCP
// may do the same at any time.
type Schedule struct {
	Name   string
	Zh, En string
	cuts   func(n int, m Marks) []int // offsets, rising; nil: not for this message
}

// The schedules, from kind to nasty.
var (
	Glued = Schedule{"glued", "全部一次到", "all at once", func(int, Marks) []int {
		return []int{}
	}}
	InsideLength = Schedule{"inside-length", "切在 4 字节长度里",
		"cut inside the four bytes of length", func(_ int, m Marks) []int {
			return some(m.Length > 0, m.Length-2)
		}}
	AfterLength = Schedule{"after-length", "长度、报头、数据各自到",
		"length, header and data apart", func(n int, m Marks) []int {
			return distinct(n, m.Length, m.JSON)
		}}
	InsideJSON = Schedule{"inside-json", "切在 JSON 报头里", "cut inside the JSON header",
		func(_ int, m Marks) []int {
			return some(m.JSON > 0, (m.Length+m.JSON)/2)
		}}
	InsideChar = Schedule{"inside-char", "切在一个汉字里", "cut inside a UTF-8 character",
		func(n int, m Marks) []int {
			return distinct(n, m.InHeader, m.InChar)
		}}
	ByteByByte = Schedule{"byte-by-byte", "一个字节一个字节地到", "byte by byte",
		func(n int, m Marks) []int {
			var at []int
			head := max(m.Length, m.JSON) + 16
			for i := 1; i < n; i++ {
				// The middle of long data goes in larger pieces: it tells nothing new.
				if i <= head || i > n-16 || i%97 == 0 {
					at = append(at, i)
				}
			}
			return at
		}}
)

// All lists the schedules.
var All = []Schedule{Glued, AfterLength, InsideLength, InsideJSON, InsideChar, ByteByByte}

// some is one cut, if there is a place for it.
func some(ok bool, at int) []int {
	if !ok {
		return nil
	}
	return []int{at}
}

// distinct keeps the cuts that are inside a message of n bytes, once each.
func distinct(n int, at ...int) []int {
	var out []int
	for _, a := range at {
		if a > 0 && a < n && (len(out) == 0 || a > out[len(out)-1]) {
			out = append(out, a)
		}
	}
	return out
}

// Pieces cuts message; nil when the schedule has nothing to cut in it. The pieces
// are parts of message.
func (s Schedule) Pieces(message []byte, m Marks) [][]byte {
	cuts := s.cuts(len(message), m)
	if cuts == nil {
		return nil
	}
	var pieces [][]byte
	last := 0
	for _, at := range append(cuts, len(message)) {
		if at > last {
			pieces = append(pieces, message[last:at])
			last = at
		}
	}
	return pieces
}
