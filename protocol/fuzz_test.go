package protocol

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"

	"minissh/protocol/vectors"
)

// FuzzReader: nothing that comes over a link makes the reader, the decoders or Describe panic. What
// they accept is written again byte for byte (headers and numbers have only one form) or, for JSON,
// means the same when read again.
func FuzzReader(f *testing.F) {
	for _, v := range vectors.Read("frames.txt") {
		f.Add(v.Bytes("hex"))
	}
	for _, v := range vectors.Read("sessions.txt") {
		f.Add(v.Bytes("hex"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := NewReader(bytes.NewReader(raw))
		for {
			frame, err := r.Next()
			if err != nil {
				return
			}
			harmless(t, Describe(frame, 64))
			whole := AppendFrame(nil, frame.Type, frame.Flags, frame.Channel, frame.Payload)
			if !bytes.HasPrefix(raw, whole) {
				t.Fatalf("% x is not what was read", whole)
			}
			raw = raw[len(whole):]
			decoded, err := decode(frame)
			if err != nil {
				continue
			}
			if !frame.Type.IsJSON() {
				if again := encode(t, frame, decoded); !bytes.Equal(again, whole) {
					t.Fatalf("% x was written again as % x", whole, again)
				}
				continue
			}
			once, err := AppendMessage(nil, frame.Type, frame.Channel, decoded)
			if err != nil {
				continue // escapes can make it too large for a frame
			}
			second := message(frame.Type)
			if err := (Frame{Header: frame.Header,
				Payload: once[HeaderSize:]}).Decode(second); err != nil {
				t.Fatalf("%q was written as %q: %v", frame.Payload, once[HeaderSize:], err)
			}
			if twice, err := AppendMessage(nil, frame.Type, frame.Channel, second); err != nil ||
				!bytes.Equal(once, twice) {
				t.Fatalf("%q, then %q, %v", once, twice, err)
			}
		}
	})
}

// FuzzJSON: what the strict reader accepts is JSON for encoding/json too, and holds no key twice
// and none that folds to another.
func FuzzJSON(f *testing.F) {
	for _, v := range vectors.Read("json.txt") {
		f.Add(append(v.Bytes("hex"), v.Text("json")+v.Text("hello")...))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if checkJSON(text, reflect.TypeFor[*Reason]()) != nil {
			return
		}
		if !json.Valid(text) || !utf8.Valid(text) {
			// Decode calls json.Unmarshal too; the strict reader must be the one that refuses.
			if (Frame{Header: Header{Type: TypeClose}, Payload: text}).Decode(new(Reason)) == nil {
				t.Fatalf("%q passes", text)
			}
			return
		}
		var loose map[string]json.RawMessage
		if err := json.Unmarshal(text, &loose); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		// Written again without the order of keys it is still one object of the same keys, so none
		// was there twice.
		again, err := json.Marshal(loose)
		if err != nil || checkJSON(again, nil) != nil {
			t.Fatalf("%q became %q: %v, %v", text, again, err, checkJSON(again, nil))
		}
	})
}

// FuzzBytes: every byte string without NUL comes back as it was, and every accepted JSON value
// means one.
func FuzzBytes(f *testing.F) {
	for _, v := range vectors.Read("bytes.txt") {
		f.Add([]byte(v.Text("json")))
		f.Add(v.Bytes("bytes"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		text, err := marshal(Bytes(raw))
		if bytes.IndexByte(raw, 0) >= 0 {
			if err == nil {
				t.Fatalf("NUL was written: %s", text)
			}
		} else {
			var back Bytes
			if err != nil || json.Unmarshal(text, &back) != nil || !bytes.Equal(back, raw) {
				t.Fatalf("%q was written as %s, %v and read as %q", raw, text, err, back)
			}
		}
		var value Bytes
		if json.Unmarshal(raw, &value) != nil {
			return
		}
		again, err := marshal(value)
		var second Bytes
		if err != nil || json.Unmarshal(again, &second) != nil || !bytes.Equal(value, second) {
			t.Fatalf("%s means %q, written as %s, %v", raw, value, again, err)
		}
	})
}
