package record

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/speak"
	"minissh/protocol"
)

// framed is one message on the wire.
type framed struct {
	sends  [][]byte // each is one send
	fields []Field  // their places count from the message's first byte
	body   int      // where the message itself begins
	text   []byte   // the message itself
	await  bool     // the second send waits for an ack
}

// Delimiter ends a message of the framing of that name.
const Delimiter = '\n'

// encode frames every message.
func encode(framing string, messages [][]byte) []framed {
	width := 1
	for _, m := range messages {
		width = max(width, len(m))
	}
	var all []framed
	for i, m := range messages {
		switch {
		case framing != "put" && framing != NaivePut:
			all = append(all, frame(framing, m, width))
		case i > 0:
			all = append(all, file(m))
		case framing == "put":
			all = append(all, frame("simple", m, 0).named("command"))
		default:
			all = append(all, frame("none", m, 0).named("command"))
		}
	}
	return all
}

// Wire is what each send of a program carries.
func Wire(framing string, messages [][]byte) (sends [][]byte) {
	for _, f := range encode(framing, messages) {
		sends = append(sends, f.sends...)
	}
	return sends
}

// named calls the message itself by another name than data.
func (f framed) named(name string) framed {
	for i := range f.fields {
		if f.fields[i].Name == "data" {
			f.fields[i].Name = name
		}
	}
	return f
}

// file is what the course's put sends after its command, with the placeholder that its copies have
// for the md5.
func file(data []byte) framed {
	return headed(data, dialect.Field{Key: "filename", Value: "a.txt"},
		dialect.Field{Key: "md5", Value: "xxdxxx"},
		dialect.Field{Key: "file_size", Value: len(data)})
}

// headed is a message after the length of its JSON header, and the header.
func headed(m []byte, about ...dialect.Field) (f framed) {
	header := dialect.EncodeFields(about...)
	f.text, f.sends = m, [][]byte{dialect.EncodeLength(false, int32(len(header))), header, m}
	f.field("header_length", 4, strconv.Itoa(len(header)), "little")
	f.field("json", len(header), string(header), "")
	f.field("data", len(m), speak.QuoteShort(m, 40), "")
	return f
}

func frame(framing string, m []byte, width int) framed {
	f := framed{text: m}
	switch framing {
	case "fixed":
		padded := append([]byte(nil), m...)
		for len(padded) < width {
			padded = append(padded, ' ')
		}
		f.sends = [][]byte{padded}
		f.field("data", len(m), speak.QuoteShort(m, 40), "")
		f.field("padding", width-len(m), fmt.Sprintf("%d × ' '", width-len(m)), "")
	case "delimiter":
		f.sends = [][]byte{append(append([]byte(nil), m...), Delimiter)}
		f.field("data", len(m), speak.QuoteShort(m, 40), "")
		f.field("delimiter", 1, `"\n"`, "")
	case "ack":
		digits := dialect.AckLength(len(m))
		f.sends, f.await = [][]byte{digits, m}, true
		f.field("digits", len(digits), strconv.Itoa(len(m)), "")
		f.field("data", len(m), speak.QuoteShort(m, 40), "")
	case "simple":
		f.sends = [][]byte{dialect.EncodeLength(false, int32(len(m))), m}
		f.field("length", 4, strconv.Itoa(len(m)), "little")
		f.field("data", len(m), speak.QuoteShort(m, 40), "")
	case "ultimate":
		return headed(m, dialect.Field{Key: "filename", Value: "a.txt"},
			dialect.Field{Key: "md5", Value: "xxdxxx"},
			dialect.Field{Key: "total_size", Value: len(m)})
	case "minissh":
		whole := protocol.AppendFrame(nil, protocol.TypeStdin, 0, 1, m)
		f.sends = [][]byte{whole}
		f.field("frame_length", 4, strconv.Itoa(len(m)), "big")
		f.field("type", 1, "0x10 "+protocol.TypeStdin.String(), "")
		f.field("flags", 1, "0", "")
		f.field("reserved", 2, "0", "big")
		f.field("channel", 4, strconv.Itoa(int(binary.BigEndian.Uint32(whole[8:]))), "big")
		f.field("data", len(m), speak.QuoteShort(m, 40), "")
	default:
		f.sends = [][]byte{m}
		f.field("data", len(m), speak.QuoteShort(m, 40), "")
	}
	return f
}

// field labels the next n bytes.
func (f *framed) field(name string, n int, value, endian string) {
	from := 0
	if len(f.fields) > 0 {
		from = f.fields[len(f.fields)-1].To
	}
	if name == "data" {
		f.body = from
	}
	f.fields = append(f.fields, Field{From: from, To: from + n, Name: name, Value: value,
		Endian: endian})
}

// size is the bytes of the whole message on the wire.
func (f *framed) size() int {
	n := 0
	for _, s := range f.sends {
		n += len(s)
	}
	return n
}

// Labelled is what the mended program of a setting puts on the wire, and its fields.
func Labelled(s Setting) (wire []byte, fields []Field) {
	c := &connection{Trace: &Trace{}}
	c.plan(encode(s.Framing, s.Contents()))
	return c.Bytes, c.Fields
}
