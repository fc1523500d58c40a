package protocol

import (
	"bytes"
	"errors"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// However the bytes of several frames arrive, the frames are the same (P3.4).
func TestReaderPieces(t *testing.T) {
	var raw []byte
	raw = AppendFrame(raw, TypeStdout, FlagBlocked, 7, bytes.Repeat([]byte("x"), MaxPayload))
	raw = AppendNumber(raw, TypeWindow, 7, 1<<40)
	raw = AppendFrame(raw, TypeEOF, 0, 7, []byte{byte(TypeStdout)})
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "halves": iotest.HalfReader, "data with EOF": iotest.DataErrReader,
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(wrap(bytes.NewReader(raw)))
			var again []byte
			for {
				f, err := r.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				again = AppendFrame(again, f.Type, f.Flags, f.Channel, f.Payload)
			}
			if !bytes.Equal(again, raw) {
				t.Fatalf("%d bytes of %d came through", len(again), len(raw))
			}
		})
	}
}

// The link's own error comes through as it is, before and inside a frame.
func TestReaderError(t *testing.T) {
	broken := errors.New("broken")
	frame := AppendNumber(nil, TypePing, 0, 1)
	for _, n := range []int{0, 5, HeaderSize, HeaderSize + 3} {
		_, err := NewReader(io.MultiReader(bytes.NewReader(frame[:n]), iotest.ErrReader(broken))).Next()
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

// counting counts what was asked of a reader.
type counting struct {
	r    io.Reader
	most int
}

func (c *counting) Read(p []byte) (int, error) {
	c.most = max(c.most, len(p))
	return c.r.Read(p)
}

// A length is judged before anything of the payload is read or allocated (P3.2).
func TestReaderLengthFirst(t *testing.T) {
	header := make([]byte, HeaderSize)
	PutHeader(header, Header{Length: MaxPayload + 1, Type: TypeStdout, Channel: 1})
	c := &counting{r: bytes.NewReader(append(header, "more"...))}
	_, err := NewReader(c).Next()
	if codeOf(t, err) != CodeFrameTooLarge || c.most > HeaderSize {
		t.Fatalf("%v after a read of %d bytes", err, c.most)
	}
}

// An idle link holds no large buffer: it goes back before the next header is waited for.
func TestReaderHoldsNothing(t *testing.T) {
	raw := AppendFrame(nil, TypeStdout, 0, 1, make([]byte, MaxPayload))
	r := NewReader(bytes.NewReader(raw))
	if _, err := r.Next(); err != nil || r.large == nil {
		t.Fatalf("%v, and the buffer is %p", err, r.large)
	}
	if _, err := r.Next(); err != io.EOF || r.large != nil {
		t.Fatalf("%v, and the buffer is %p", err, r.large)
	}
}

func TestAllocations(t *testing.T) {
	if info, _ := debug.ReadBuildInfo(); slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("not run: under the race detector sync.Pool loses things on purpose")
	}
	payload := make([]byte, MaxPayload)
	raw := AppendFrame(nil, TypeStdout, 0, 1, payload)
	raw = AppendFrame(raw, TypeStdout, 0, 1, payload[:100])
	raw = AppendNumber(raw, TypeWindow, 1, 1<<20)
	source := bytes.NewReader(raw)
	r := NewReader(source)
	if n := testing.AllocsPerRun(100, func() {
		source.Reset(raw)
		for range 3 {
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("reading allocates %v times", n)
	}
	out := make([]byte, 0, 2*MaxFrame)
	if n := testing.AllocsPerRun(100, func() {
		out = AppendFrame(out[:0], TypeStdout, FlagBlocked, 1, payload)
		out = AppendNumber(out, TypeAck, 0, 5)
	}); n != 0 {
		t.Errorf("writing allocates %v times", n)
	}
}

// What does not fit a frame is an error, not a frame that the peer refuses.
func TestMessageTooLarge(t *testing.T) {
	if b, err := AppendMessage(nil, TypeOpen, 1, &Open{Command: bytes.Repeat([]byte("x"), MaxPayload)}); !errors.Is(err, ErrTooLarge) || b != nil {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if _, err := AppendMessage(nil, TypeHello, 0, &Hello{User: strings.Repeat("u", MaxHello)}); err == nil {
		t.Error("a HELLO beyond 4,096 bytes")
	}
	if _, err := AppendMessage(nil, TypeOpen, 1, &Open{Command: Bytes("a\x00b")}); !errors.Is(err, ErrNUL) {
		t.Error("NUL was written: the peer would end the session for it")
	}
}

// P8.3: text for people is cut at a character, ours before it is sent and theirs before it is shown.
func TestClip(t *testing.T) {
	for _, long := range []string{strings.Repeat("a", 3000), strings.Repeat("ü", 3000), "a" + strings.Repeat("猫", 3000)} {
		b, err := AppendMessage(nil, TypeError, 0, &Reason{Code: CodeInternal, Message: long})
		if err != nil {
			t.Fatal(err)
		}
		var r Reason
		if err := (Frame{Header: Header{Type: TypeError}, Payload: b[HeaderSize:]}).Decode(&r); err != nil {
			t.Fatal(err)
		}
		if n := len(r.Message); n > MaxMessage || n < MaxMessage-6 || !strings.HasPrefix(long, strings.TrimSuffix(r.Message, "…")) {
			t.Errorf("%d bytes are left: %q", n, r.Message)
		}
		if n := len((&RemoteError{Reason{Code: CodeInternal, Message: long}}).Error()); n > 2*MaxMessage {
			t.Errorf("%d bytes are shown", n)
		}
	}
	if got := Violate(CodeInternal, "\xff%s", strings.Repeat("a", 3000)).Reason().Message; len(got) < 1000 {
		t.Errorf("one bad byte cost the whole message: %q", got)
	}
}
