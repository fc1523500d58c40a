package files

import (
	"bytes"
	"strconv"
)

// parse reads a header of the plainest form: known keys, each once; numbers without a sign or
// leading zero; strings of printable ASCII without escapes. For anything else it returns false, and
// the strict and general way is taken (protocol.DecodeJSON): that costs ten times as much, and
// there is a header for every file.
func (r *Record) parse(p []byte) bool {
	if p[0] != '{' || p[len(p)-1] != '}' {
		return false
	}
	p = p[1 : len(p)-1]
	var seen uint32
	for first := true; len(p) > 0 || first; first = false {
		if !first {
			if p[0] != ',' {
				return false
			}
			p = p[1:]
		}
		key, rest, ok := plain(p)
		if !ok || len(rest) < 2 || rest[0] != ':' {
			return false
		}
		bit, number, text := r.field(key)
		if bit == 0 || seen&bit != 0 {
			return false
		}
		seen |= bit
		if p = rest[1:]; number != nil {
			if p, ok = digits(p, number); !ok {
				return false
			}
			continue
		}
		value, rest, ok := plain(p)
		if !ok {
			return false
		}
		text(value)
		p = rest
	}
	return seen&1 != 0
}

// field finds where a key's value goes: a number, or what takes a string.
func (r *Record) field(key []byte) (bit uint32, number *int64, text func([]byte)) {
	switch string(key) {
	case "kind":
		return 1 << 0, nil, func(v []byte) { r.Kind = kindOf(v) }
	case "id":
		return 1 << 1, &r.ID, nil
	case "name":
		return 1 << 2, nil, func(v []byte) { r.Name = bytes.Clone(v) }
	case "size":
		return 1 << 3, &r.Size, nil
	case "mode":
		return 1 << 4, &r.Mode, nil
	case "mtime":
		return 1 << 5, &r.Mtime, nil
	case "nsec":
		return 1 << 6, &r.Nsec, nil
	case "target":
		return 1 << 7, nil, func(v []byte) { r.Target = bytes.Clone(v) }
	case "offset":
		return 1 << 8, &r.Offset, nil
	case "body":
		return 1 << 9, &r.Body, nil
	case "digest":
		return 1 << 10, nil, func(v []byte) { r.Digest = string(v) }
	case "code":
		return 1 << 11, nil, func(v []byte) { r.Code = string(v) }
	case "message":
		return 1 << 12, nil, func(v []byte) { r.Message = string(v) }
	case "files":
		return 1 << 13, &r.Files, nil
	case "bytes":
		return 1 << 14, &r.Bytes, nil
	}
	return 0, nil, nil
}

// kindOf saves an allocation for the commonest kinds.
func kindOf(v []byte) Kind {
	switch string(v) {
	case "file":
		return KindFile
	case "data":
		return KindData
	}
	return Kind(v)
}

// plain reads a string without escapes.
func plain(p []byte) (value, rest []byte, ok bool) {
	if len(p) < 2 || p[0] != '"' {
		return nil, nil, false
	}
	for i := 1; i < len(p); i++ {
		switch c := p[i]; {
		case c == '"':
			return p[1:i], p[i+1:], true
		case c < ' ' || c >= 0x7f || c == '\\':
			return nil, nil, false
		}
	}
	return nil, nil, false
}

// digits reads a number of up to 18 digits.
func digits(p []byte, to *int64) (rest []byte, ok bool) {
	n := 0
	for n < len(p) && n < 19 && p[n] >= '0' && p[n] <= '9' {
		n++
	}
	if n == 0 || n == 19 || p[0] == '0' && n > 1 {
		return nil, false
	}
	value, err := strconv.ParseInt(string(p[:n]), 10, 64)
	*to = value
	return p[n:], err == nil
}
