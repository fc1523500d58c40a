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

// However the bytes of several frames arrive, the frames are the same (FR4).
func TestReaderPieces(t *testing.T) {
	var raw []byte
	raw = AppendFrame(raw, TypeStdout, FlagBlocked, 7, bytes.Repeat([]byte("x"), MaxPayload))
	raw = AppendNumber(raw, TypeWindow, 7, 1<<40)
	raw = AppendFrame(raw, TypeEOF, 0, 7, []byte{byte(TypeStdout)})
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader,
		"halves": iotest.HalfReader, "data with EOF": iotest.DataErrReader,
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
		_, err := NewReader(io.MultiReader(bytes.NewReader(frame[:n]),
			iotest.ErrReader(broken))).Next()
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

// A length is judged before any of the payload is read or allocated (FR2).
func TestReaderLengthFirst(t *testing.T) {
	header := make([]byte, HeaderSize)
	PutHeader(header, Header{Length: MaxPayload + 1, Type: TypeStdout, Channel: 1})
	c := &counting{r: bytes.NewReader(append(header, "more"...))}
	_, err := NewReader(c).Next()
	if codeOf(t, err) != CodeFrameTooLarge || c.most > HeaderSize {
		t.Fatalf("%v after a read of %d bytes", err, c.most)
	}
}

// Each type has its own maximum (FR5), which the header is checked against: one byte more is
// frame_too_large, and nothing of it is read.
func TestMostOfEachType(t *testing.T) {
	most := map[Type]uint32{
		0x01: 65536, 0x02: 8192, 0x03: 8, 0x04: 1, 0x05: 256, 0x06: 256, 0x07: 8192, 0x08: 16384,
		0x09: 8192,
		0x10: 65536, 0x11: 65536, 0x12: 65536,
		0x81: 8192, 0x82: 16384, 0x83: 8, 0x84: 8, 0x85: 8, 0x86: 8192, 0x87: 8192, 0x88: 4096,
	}
	for kind := range knownTypes() {
		if most[kind] == 0 {
			t.Errorf("%v has no most here", kind)
		}
	}
	for kind, n := range most {
		h := Header{Length: n, Type: kind, Channel: 1}
		if kind >= 0x80 {
			h.Channel = 0
		}
		header := make([]byte, 12)
		PutHeader(header, h)
		if _, err := ParseHeader(header); err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
		h.Length++
		PutHeader(header, h)
		c := &counting{r: bytes.NewReader(append(header, "more"...))}
		if _, err := NewReader(c).Next(); codeOf(t, err) != "frame_too_large" || c.most > 12 {
			t.Errorf("%v of %d bytes: %v, after a read of %d", kind, n+1, err, c.most)
		}
	}
}

// A message of 1,024 bytes fits in every frame that may have one, whatever JSON makes of its
// characters.
func TestLongestMessageFits(t *testing.T) {
	for _, text := range []string{strings.Repeat("\x01", 1024), strings.Repeat("\xff", 1024),
		strings.Repeat(`"`, 1024), strings.Repeat("ü", 512)} {
		code := Code(strings.Repeat("x", 64))
		for kind, message := range map[Type]any{
			TypeClose:   &Reason{Code: code, Message: text},
			TypeGoodbye: &Reason{Code: code, Message: text},
			TypeError: &Reason{Code: code, Message: text,
				Key: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"},
			TypeNotice: &Notice{Notice: NoticeSignalRefused, Message: text},
		} {
			if _, err := AppendMessage(nil, kind, 1, message); err != nil {
				t.Errorf("%q…: %v", text[:4], err)
			}
		}
	}
	path := Bytes("/" + strings.Repeat("\xff", 4094))
	if _, err := AppendMessage(nil, TypeExit, 1, &Exit{How: HowExited, Dir: path,
		OldDir: path}); err != nil {
		t.Error(err)
	}
	if _, err := AppendMessage(nil, TypeWelcome, 0, &Welcome{User: strings.Repeat("u", 255),
		Home: path}); err != nil {
		t.Error(err)
	}
}

// What does not fit in an EXIT is left out: processes first, then directories (EX6).
func TestExitFits(t *testing.T) {
	code := 3
	var left []Process
	for i := range 2000 {
		left = append(left, Process{PID: i, Name: "sleep"})
	}
	worst := Bytes("/" + strings.Repeat("\x01", 4094))
	for name, e := range map[string]*Exit{
		"all":         {How: HowExited, Code: &code, Dir: Bytes("/a"), Left: left[:3]},
		"left":        {How: HowExited, Code: &code, Dir: Bytes("/a"), Left: left},
		"directories": {How: HowExited, Code: &code, Dir: worst, OldDir: worst, Left: left},
	} {
		fit := e.Fit()
		b, err := AppendMessage(nil, TypeExit, 1, fit)
		if err != nil || len(b) > 12+16384 || *fit.Code != 3 {
			t.Errorf("%s: %v", name, err)
		}
		if wantDir := name != "directories"; (fit.Dir != nil) != wantDir {
			t.Errorf("%s: dir %q", name, fit.Dir)
		}
		if name == "all" && len(fit.Left) != 3 || name == "left" &&
			(len(fit.Left) == 0 || len(fit.Left) == 2000) {
			t.Errorf("%s: %d processes", name, len(fit.Left))
		}
	}
}

// An EXIT whose fields do not tell an outcome is recognized (EX6).
func TestExitCheck(t *testing.T) {
	for text, sound := range map[string]bool{
		`{"how":"exited","code":0}`: true, `{"how":"signalled","signal":"KILL"}`: true,
		`{"how":"deadline"}`: true, `{"how":"cancelled","code":0}`: true,
		`{"how":"hung_up"}`: true,
		`{"code":0}`:        false, `{"how":"garbage","code":0}`: false, `{"how":"exited"}`: false,
		`{"how":"signalled"}`: false, `{"how":"EXITED","code":0}`: false, `{}`: false,
	} {
		var e Exit
		if err := (Frame{Header: Header{Type: TypeExit},
			Payload: []byte(text)}).Decode(&e); err != nil {
			t.Fatal(err)
		}
		if err := e.Check(); (err == nil) != sound {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A code has 1 to 64 bytes of a-z, 0-9 and _; anything else is internal, and shown to nobody (CO2).
func TestCodes(t *testing.T) {
	for code, want := range map[string]Code{
		"bad_json": "bad_json", "a_later_code2": "a_later_code2",
		strings.Repeat("x", 64): Code(strings.Repeat("x", 64)), "": "",
		strings.Repeat("x", 65): "internal", "Bad": "internal", "a b": "internal", "ü": "internal",
		"a\\u001b": "internal",
	} {
		for _, kind := range []Type{TypeError, TypeClose, TypeGoodbye} {
			var r Reason
			if err := (Frame{Header: Header{Type: kind},
				Payload: []byte(`{"code":"` + code + `"}`)}).Decode(&r); err != nil ||
				r.Code != want {
				t.Errorf("%q in %v is %q, %v", code, kind, r.Code, err)
			}
		}
		if said := (&RemoteError{Reason{Code: Code(code)}}).Error(); len(said) > 100 {
			t.Errorf("%q", said)
		}
	}
	var n Notice
	if err := (Frame{Header: Header{Type: TypeNotice}, Payload: []byte(`{"notice":"x","message":"` +
		strings.Repeat("m", 8000) + `"}`)}).Decode(&n); err != nil || len(n.Message) > 1024 {
		t.Errorf("a message of %d bytes, %v", len(n.Message), err)
	}
}

// An idle link holds no large buffer: the Reader returns it before it waits for the next header.
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
	if info, _ := debug.ReadBuildInfo(); slices.Contains(info.Settings,
		debug.BuildSetting{Key: "-race", Value: "true"}) {
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

// What does not fit in a frame is an error, not a frame that the peer refuses.
func TestMessageTooLarge(t *testing.T) {
	if b, err := AppendMessage(nil, TypeOpen, 1, &Open{Command: bytes.Repeat([]byte("x"),
		MaxPayload)}); !errors.Is(err, ErrTooLarge) || b != nil {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if _, err := AppendMessage(nil, TypeHello, 0, &Hello{User: strings.Repeat("u",
		MaxHello)}); err == nil {
		t.Error("a HELLO beyond 8,192 bytes")
	}
	if _, err := AppendMessage(nil, TypeOpen, 1, &Open{Command: Bytes("a\x00b")}); !errors.Is(err,
		ErrNUL) {
		t.Error("NUL was written: the peer would end the session for it")
	}
}

// CO3: text for people is cut at a character, ours before it is sent and theirs before it is shown.
func TestClip(t *testing.T) {
	for _, long := range []string{strings.Repeat("a", 3000), strings.Repeat("ü", 3000), "a" +
		strings.Repeat("猫", 3000)} {
		b, err := AppendMessage(nil, TypeError, 0, &Reason{Code: CodeInternal, Message: long})
		if err != nil {
			t.Fatal(err)
		}
		var r Reason
		if err := (Frame{Header: Header{Type: TypeError},
			Payload: b[HeaderSize:]}).Decode(&r); err != nil {
			t.Fatal(err)
		}
		if n := len(r.Message); n > MaxMessage || n < MaxMessage-6 ||
			!strings.HasPrefix(long, strings.TrimSuffix(r.Message, "…")) {
			t.Errorf("%d bytes are left: %q", n, r.Message)
		}
		if n := len((&RemoteError{Reason{Code: CodeInternal,
			Message: long}}).Error()); n > 2*MaxMessage {
			t.Errorf("%d bytes are shown", n)
		}
	}
	if got := Violate(CodeInternal, "\xff%s", strings.Repeat("a",
		3000)).Reason().Message; len(got) < 1000 {
		t.Errorf("one bad byte cost the whole message: %q", got)
	}
}
