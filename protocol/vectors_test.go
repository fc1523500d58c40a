package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"minissh/protocol/vectors"
)

// codeOf is the code of a violation, "" for nil; any other error fails the test.
func codeOf(t *testing.T, err error) Code {
	t.Helper()
	if err == nil {
		return ""
	}
	var v *Violation
	if !errors.As(err, &v) {
		t.Fatalf("not a violation: %v", err)
	}
	return v.Code
}

// message is an empty message of the struct that belongs to a type.
func message(t Type) any {
	switch t {
	case TypeOpen:
		return new(Open)
	case TypeOpened:
		return new(Opened)
	case TypeSignal:
		return new(Signal)
	case TypeResize:
		return new(Size)
	case TypeNotice:
		return new(Notice)
	case TypeExit:
		return new(Exit)
	case TypeHello:
		return new(Hello)
	case TypeWelcome:
		return new(Welcome)
	case TypePair:
		return new(Pair)
	}
	return new(Reason) // CLOSE, GOODBYE, ERROR
}

// decode reads a payload as a receiver does.
func decode(f Frame) (any, error) {
	switch {
	case f.Type == TypeEOF:
		return f.Ended()
	case f.Type.IsJSON():
		m := message(f.Type)
		return m, f.Decode(m)
	}
	return nil, nil
}

// encode writes a frame again from what was decoded.
func encode(t *testing.T, f Frame, decoded any) []byte {
	t.Helper()
	switch {
	case f.Type.IsJSON():
		b, err := AppendMessage(nil, f.Type, f.Channel, decoded)
		if err != nil {
			t.Fatal(err)
		}
		return b
	case f.Type == TypeEOF:
		return AppendFrame(nil, f.Type, f.Flags, f.Channel, []byte{byte(decoded.(Type))})
	case f.Type.IsData():
		return AppendFrame(nil, f.Type, f.Flags, f.Channel, f.Payload)
	}
	b := AppendNumber(nil, f.Type, f.Channel, f.Number())
	b[5] = f.Flags
	return b
}

func TestFrameVectors(t *testing.T) {
	for _, v := range vectors.Read("frames.txt") {
		t.Run(v.Name, func(t *testing.T) {
			raw := v.Bytes("hex")
			f, err := NewReader(bytes.NewReader(raw)).Next()
			var decoded any
			if err == nil {
				decoded, err = decode(f)
			}
			if code := codeOf(t, err); string(code) != v.Text("error") {
				t.Fatalf("code %q, want %q", code, v.Text("error"))
			}
			if err != nil {
				return
			}
			want := Header{Length: f.Length, Type: Type(v.Number("type", 16)),
				Flags: uint8(v.Number("flags", 16)), Channel: uint32(v.Number("channel", 10))}
			if f.Header != want || int(f.Length) != len(raw)-HeaderSize {
				t.Fatalf("header %+v, want %+v", f.Header, want)
			}
			switch {
			case v.Has("payload") && !bytes.Equal(f.Payload, v.Bytes("payload")),
				v.Has("number") && f.Number() != v.Number("number", 10),
				v.Has("ended") && decoded != Type(v.Number("ended", 16)),
				v.Has("json") && string(f.Payload) != v.Text("json"):
				t.Fatalf("payload %q", f.Payload)
			}
			if again := encode(t, f, decoded); !bytes.Equal(again, raw) {
				t.Fatalf("encoded again it is\n%q, not\n%q", again, raw)
			}
			everyPrefix(t, raw)
		})
	}
}

// everyPrefix: whatever is cut off a frame, the reader says so and returns nothing.
func everyPrefix(t *testing.T, raw []byte) {
	t.Helper()
	for n := range raw {
		if n > 2*HeaderSize && n < len(raw)-2 && n%997 != 0 {
			continue // of a large payload some are enough
		}
		f, err := NewReader(bytes.NewReader(raw[:n])).Next()
		want := "unexpected EOF"
		if n == 0 {
			want = "EOF"
		}
		if err == nil || err.Error() != want || f.Payload != nil {
			t.Fatalf("%d of %d bytes: %v, want %s", n, len(raw), err, want)
		}
	}
}

func TestJSONVectors(t *testing.T) {
	for _, v := range vectors.Read("json.txt") {
		t.Run(v.Name, func(t *testing.T) {
			message, payload := checked(new(Reason)), append(v.Bytes("hex"), v.Text("json")...)
			switch {
			case v.Has("hello"):
				message, payload = new(Hello), []byte(v.Text("hello"))
			case v.Has("welcome"):
				message, payload = new(Welcome), []byte(v.Text("welcome"))
			}
			judge(t, v, message, payload)
		})
	}
}

func TestOpenVectors(t *testing.T) {
	for _, v := range vectors.Read("opens.txt") {
		t.Run(v.Name,
			func(t *testing.T) { judge(t, v, command{new(Open)}, []byte(v.Text("open"))) })
	}
}

// checked is a message whose fields have rules of their own.
type checked interface{ Check() error }

// command is an Open of the service exec, subsystem, forward or agent.
type command struct{ *Open }

func (c command) Check() error {
	switch c.Service {
	case "subsystem":
		return c.CheckSubsystem()
	case "forward":
		return c.CheckForward()
	case "agent":
		return c.CheckAgent()
	}
	return c.CheckExec()
}

// Check is for vectors without a type: a Reason has no rules of its own.
func (*Reason) Check() error { return nil }

// judge expects the vector's payload to be valid, or to break what the vector says.
func judge(t *testing.T, v vectors.Vector, message checked, payload []byte) {
	t.Helper()
	var into any = message
	if c, ok := message.(command); ok {
		into = c.Open
	}
	err := Frame{Header: Header{Type: TypeClose}, Payload: payload}.Decode(into)
	if err == nil {
		err = message.Check()
	}
	if code := codeOf(t, err); string(code) != v.Text("error") || (err == nil) != v.Has("valid") {
		t.Fatalf("%v, want %q", err, v.Text("error"))
	}
}

func TestBytesVectors(t *testing.T) {
	for _, v := range vectors.Read("bytes.txt") {
		t.Run(v.Name, func(t *testing.T) {
			var open Open
			payload := `{"service":"exec","command":` + v.Text("json") + `}`
			err := Frame{Header: Header{Type: TypeOpen}, Payload: []byte(payload)}.Decode(&open)
			if code := codeOf(t, err); string(code) != v.Text("error") {
				t.Fatalf("%v, want %q", err, v.Text("error"))
			}
			if err != nil {
				return
			}
			if !bytes.Equal(open.Command, v.Bytes("bytes")) {
				t.Fatalf("%q, want %q", open.Command, v.Bytes("bytes"))
			}
			text, err := json.Marshal(Bytes(v.Bytes("bytes")))
			if err != nil {
				t.Fatal(err)
			}
			var again Bytes
			if err := json.Unmarshal(text, &again); err != nil ||
				!bytes.Equal(again, open.Command) {
				t.Fatalf("%s came back as %q, %v", text, again, err)
			}
			plain, err := marshal(Bytes(v.Bytes("bytes")))
			if err != nil || v.Has("canonical") && string(plain) != v.Text("json") {
				t.Fatalf("written as %s, %v; want %s", plain, err, v.Text("json"))
			}
		})
	}
}
