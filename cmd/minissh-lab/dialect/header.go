package dialect

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Field is one key and value of a header: a string, an int64 or an int.
type Field struct {
	Key   string
	Value any
}

// EncodeFields is Python's json.dumps of a dict, byte for byte: a space after ':'
// and ',', the keys in their order, everything that is not ASCII as \uXXXX. (Go's
// own encoder would leave out the spaces: the length would differ.)
func EncodeFields(fields ...Field) []byte {
	var b strings.Builder
	b.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			b.WriteString(", ")
		}
		writeString(&b, f.Key)
		b.WriteString(": ")
		switch v := f.Value.(type) {
		case string:
			writeString(&b, v)
		case int:
			b.WriteString(strconv.Itoa(v))
		case int64:
			b.WriteString(strconv.FormatInt(v, 10))
		}
	}
	b.WriteByte('}')
	return []byte(b.String())
}

// EncodeList is json.dumps of a list of strings: ["get", "a.txt"].
func EncodeList(items ...string) []byte {
	var b strings.Builder
	b.WriteByte('[')
	for i, s := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		writeString(&b, s)
	}
	b.WriteByte(']')
	return []byte(b.String())
}

// writeString writes s as json.dumps does, with its short escapes.
func writeString(b *strings.Builder, s string) {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`,
		'\f': `\f`}
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case short[r] != "":
			b.WriteString(short[r])
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(b, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
}

// Superset is the header that every copy of the course's clients understands: each
// of them indexes one of these keys, and a missing one ends it with a KeyError.
// errText is added as "error" unless empty.
func Superset(name, md5 string, size int64, errText string) []byte {
	fields := []Field{
		{"filename", name}, {"md5", md5}, {"total_size", size},
		{"file_name", name}, {"file_size", size}, {"filesize", size}, {"data_size", size},
	}
	if errText != "" {
		fields = append(fields, Field{"error", errText})
	}
	return EncodeFields(fields...)
}

// Frame is struct.pack('i', len(header)) and the header, in one slice: one send,
// so that no small write waits for the other side's delayed ack (44 ms, measured).
func Frame(bigEndian bool, header []byte) []byte {
	return append(EncodeLength(bigEndian, int32(len(header))), header...)
}

// Header is what any copy's JSON header says, whatever it calls it.
type Header struct {
	Cmd  string // "put" in chapter 19, else ""
	Name string // filename, file_name, fileName
	MD5  string // never checked: the copies send the placeholder xxdxxx
	Size int64  // total_size, data_size, file_size, filesize
	Err  string // error: this project's servers say why the size is 0
	JSON []byte // as received
}

// ParseHeader reads a header. Keys are compared without case and underscores, as
// the copies differ in nothing else. A size is needed: *HeaderError otherwise.
func ParseHeader(raw []byte) (*Header, error) {
	var dict map[string]any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber() // 2**53 and above stay whole
	if err := d.Decode(&dict); err != nil {
		return nil, &HeaderError{JSON: string(raw), Why: err.Error()}
	}
	h := &Header{Size: -1, JSON: raw}
	for key, v := range dict {
		text, _ := v.(string)
		switch strings.ReplaceAll(strings.ToLower(key), "_", "") {
		case "cmd":
			h.Cmd = text
		case "filename":
			h.Name = text
		case "md5":
			h.MD5 = text
		case "error":
			h.Err = text
		case "totalsize", "datasize", "filesize", "size":
			number, ok := v.(json.Number)
			n, err := number.Int64()
			if !ok || err != nil || n < 0 {
				return nil, &HeaderError{JSON: string(raw), Why: key + " is not a size"}
			}
			h.Size = n
		}
	}
	if h.Size < 0 && h.Cmd != "get" { // the header of a request for a file has no size
		return nil,
			&HeaderError{
				JSON: string(raw), Why: "no size in it (total_size, data_size, file_size, " +
					"filesize)"}
	}
	return h, nil
}

// HeaderError is a JSON header that cannot be used.
type HeaderError struct {
	JSON string // as received
	Why  string
}

func (e *HeaderError) Error() string {
	return fmt.Sprintf("header %.200q: %q", e.JSON, e.Why)
}
