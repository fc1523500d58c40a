package cause

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"minissh/cmd/minissh-lab/dialect"
)

// Kind is how a dialect marks where a message ends.
type Kind int

// The kinds.
const (
	Raw     Kind = iota // it does not
	Length              // four bytes of length, then the data
	Header              // four bytes of length, that much JSON with a size, then the data
	Decimal             // digits, then (after an ack) the data
)

// most is how far a length may be off to be called off by so much: a mistake of a few bytes is
// somebody's newline, quote or header; more proves nothing.
const most = 16

// Message says what is wrong with the bytes of one whole message: raw is all that came, body what
// it should carry (nil: not known), stdout how much of body a command prints to its standard
// output (-1: not known). nil: nothing is wrong, or nothing that raw proves.
func Message(kind Kind, bigEndian bool, raw, body []byte, stdout int) *Belief {
	if len(raw) == 0 {
		return nil
	}
	switch kind {
	case Length:
		return framed(bigEndian, raw, body, stdout)
	case Header:
		return headed(bigEndian, raw, body, stdout)
	case Decimal:
		digits := leadingDigits(raw)
		switch n, err := strconv.Atoi(string(digits)); {
		case err == nil:
			return counted(n, raw[len(digits):], body, stdout)
		case framed(bigEndian, raw, body, stdout) == nil:
			return nil
		}
		return NoLength
	}
	return Data(raw, body)
}

// framed judges four bytes of length and the data after them.
func framed(bigEndian bool, raw, body []byte, stdout int) *Belief {
	if len(raw) < dialect.LengthSize {
		if same(raw, body) {
			return NoLength
		}
		return nil
	}
	little, big := int64(int32(binary.LittleEndian.Uint32(raw))),
		int64(int32(binary.BigEndian.Uint32(raw)))
	n, reversed := little, big
	if bigEndian {
		n, reversed = big, little
	}
	rest := raw[dialect.LengthSize:]
	size := int64(len(rest))
	switch {
	case n == size:
		return Data(rest, body)
	case size > 0 && reversed == size:
		return ByteOrder
	case size > 4 && n == size-4 && bytes.Equal(raw[4:8], make([]byte, 4)):
		return HeaderSize // 'q': the upper half is 0
	case size > 0 && int64(binary.LittleEndian.Uint16(raw)) == size+2 ||
		int64(binary.BigEndian.Uint16(raw)) == size+2:
		return HeaderSize // 'h'
	case same(raw, body):
		return NoLength
	}
	if digits := leadingDigits(raw); len(digits) > 0 {
		if k, err := strconv.Atoi(string(digits)); err == nil &&
			abs(int64(k)-int64(len(raw)-len(digits))) <= most {
			return LengthAsText
		}
	}
	if n < 0 || n > 1<<24 {
		return Data(raw, body) // not a length at all
	}
	return counted(int(n), rest, body, stdout)
}

// counted judges data that was announced as n bytes.
func counted(n int, data, body []byte, stdout int) *Belief {
	switch {
	case n == len(data):
		return Data(data, body)
	case n == utf8.RuneCount(data) && utf8.Valid(data), // not ASCII, or n would be right
		len(body) > utf8.RuneCount(body) && same(data, body) && n == utf8.RuneCount(body):
		return CharsNotBytes
	case n < len(data) && (n == stdout || n == 0):
		return Uncounted
	case len(data) > 0 && abs(int64(n-len(data))) <= most:
		return offBy(n - len(data))
	case n < len(data):
		return Uncounted
	}
	return Data(data, body)
}

// headed judges a length, a JSON header of that length, and the data that it announces.
func headed(bigEndian bool, raw, body []byte, stdout int) *Belief {
	at := bytes.IndexByte(raw, '{')
	digits := leadingDigits(raw)
	switch {
	case at < 0 || at > 8:
		if b := framed(bigEndian, raw, body, stdout); b != nil {
			return b
		}
		return NoLength
	case at == 0:
		return NoLength
	case at == len(digits):
		return LengthAsText
	case len(raw) > at+1 && raw[at+1] == 0, at == 6 && raw[4] == 0xff:
		return WrongEncoding // UTF-16
	case len(raw) > at+1 && raw[at+1] == '\'':
		return ReprForJSON
	case at == 2 || at == 8:
		return HeaderSize
	case at != dialect.LengthSize:
		return nil
	}
	var header json.RawMessage
	d := json.NewDecoder(bytes.NewReader(raw[at:]))
	if d.Decode(&header) != nil {
		return nil
	}
	size := int(d.InputOffset())
	n, reversed := int64(binary.LittleEndian.Uint32(raw)), int64(binary.BigEndian.Uint32(raw))
	if bigEndian {
		n, reversed = reversed, n
	}
	switch {
	case n == int64(size):
	case reversed == int64(size):
		return ByteOrder
	case n == int64(utf8.RuneCount(header)):
		return CharsNotBytes
	case abs(n-int64(size)) <= most:
		return offBy(int(n - int64(size)))
	default:
		return nil
	}
	h, err := dialect.ParseHeader(header)
	if err != nil {
		return NoSize
	}
	return counted(int(h.Size), raw[at+size:], body, stdout)
}

// Data judges bytes that came without a frame, beside those that should have come.
func Data(data, body []byte) *Belief {
	if body == nil || same(data, body) {
		return nil
	}
	little := wide(body, binary.LittleEndian)
	for _, other := range [][]byte{gbk(body), little, wide(body, binary.BigEndian),
		append([]byte{0xff, 0xfe}, little...)} {
		if other != nil && !bytes.Equal(other, body) && same(data, other) {
			return WrongEncoding
		}
	}
	if text, ok := unquote(string(bytes.TrimSpace(data))); ok && same([]byte(text), body) {
		return ReprForJSON
	}
	return nil
}

// same compares what commands print: line ends, and white space around it, are the system's.
func same(a, b []byte) bool {
	clean := func(b []byte) []byte {
		return bytes.TrimSpace(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")))
	}
	return bytes.Equal(clean(a), clean(b))
}

func abs(n int64) int64 { return max(n, -n) }

func leadingDigits(b []byte) []byte {
	n := 0
	for n < len(b) && n < 9 && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	return b[:n]
}

// gbk is text in Windows' Chinese encoding; nil if it has none there.
func gbk(b []byte) []byte {
	out, err := simplifiedchinese.GBK.NewEncoder().Bytes(b)
	if err != nil {
		return nil
	}
	return out
}

// wide is text in UTF-16, without a mark.
func wide(b []byte, order binary.AppendByteOrder) (out []byte) {
	for _, u := range utf16.Encode([]rune(string(b))) {
		out = order.AppendUint16(out, u)
	}
	return out
}
