package protocol

import (
	"strings"
	"testing"
	"unicode"
)

// evil is what a hostile other side might want a terminal to obey.
var evil = []string{
	"\x1b[2J\x1b[H", "\x1b]0;title\x07", "\x9b2J", "\u009b2J", "\r\nfake line\n", "\x00\b\x7f",
	"\u202etxt.exe", "\u2066\u2069\u200f",
	"\xff\xfe", "\"; rm -rf", `\x1b[2J`, "\u2028\u2029\ufeff", "\U000e0041",
}

// harmless fails the test if a character could move a cursor, or show text in another order.
func harmless(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if !unicode.IsGraphic(r) {
			t.Fatalf("%U came through in %q", r, text)
		}
	}
}

func TestDescribeQuotes(t *testing.T) {
	for _, bad := range evil {
		for _, kind := range []Type{TypeStdin, TypeStdout, TypeStderr} {
			harmless(t, Describe(Frame{Header: Header{Length: uint32(len(bad)), Type: kind,
				Channel: 1}, Payload: []byte(bad)}, 100))
		}
		for kind := range knownTypes() {
			if !kind.IsJSON() {
				continue
			}
			// As it comes, which may not be JSON, and inside JSON.
			inside, err := marshal(map[string]string{"code": strings.ToValidUTF8(bad, "?"),
				"message": strings.ToValidUTF8(bad, "?"), "user": "u"})
			if err != nil {
				t.Fatal(err)
			}
			for _, payload := range [][]byte{[]byte(bad), inside,
				[]byte(`{"message":"` + bad + `"}`)} {
				harmless(t, Describe(Frame{Header: Header{Length: uint32(len(payload)), Type: kind},
					Payload: payload}, 100))
			}
		}
		harmless(t, (&RemoteError{Reason{Code: Code(bad), Message: bad}}).Error())
		harmless(t, (&RemoteError{Reason{Code: Code(bad)}}).Error())
		harmless(t, Quote(bad))
	}
}

func TestDescribe(t *testing.T) {
	data := func(flags uint8, text string) Frame {
		return Frame{Header: Header{Length: uint32(len(text)), Type: TypeStdout, Flags: flags,
			Channel: 3}, Payload: []byte(text)}
	}
	number := func(kind Type, channel uint32) Frame {
		return Frame{Header: Header{Length: 8, Type: kind, Channel: channel},
			Payload: []byte{0, 0, 0, 0, 0, 8, 0, 0}}
	}
	for want, f := range map[string]Frame{
		`STDOUT  channel 3 length 3 "hi\n"`:                         data(0, "hi\n"),
		`STDOUT  channel 3 length 3 BLOCKED "hi\n"`:                 data(FlagBlocked, "hi\n"),
		`STDOUT  channel 3 length 10 "01234567" … and 2 bytes more`: data(0, "0123456789"),
		`WINDOW  channel 1 length 8 524288`:                         number(TypeWindow, 1),
		`PING    length 8 524288`:                                   number(TypePing, 0),
		`EOF     channel 1 length 1 STDIN has ended`: {Header: Header{Length: 1,
			Type: TypeEOF, Channel: 1}, Payload: []byte{0x10}},
		`OPENED  channel 1 length 12 {"pid":4711}`: {Header: Header{Length: 12,
			Type: TypeOpened, Channel: 1}, Payload: []byte(`{"pid":4711}`)},
		`ERROR   length 39 {"code":"internal","message":"\x1b[2J ü"}`: {Header: Header{Length: 39,
			Type: TypeError}, Payload: []byte("{\"code\":\"internal\",\"message\":\"\x1b[2J ü\"}")},
		`EOF     channel 1 length 1 type 0x1b has ended`: {Header: Header{Length: 1,
			Type: TypeEOF, Channel: 1}, Payload: []byte{0x1b}},
	} {
		if got := Describe(f, 8); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}

// The session's name is a secret (SE1): whoever has it and the key can take over the session.
func TestDescribeHidesSession(t *testing.T) {
	name := strings.Repeat("5f", 32)
	for _, payload := range []string{
		`{"protocol":"minissh/1","session":"` + name + `","epoch":1,"create":true,"user":"alice"}`,
		`{"protocol":"minissh/1","session":"` + name + `","session":"x"}`, // does not parse
		`{"session":"` + name + `"`,
		`{"session":["` + name + `"]}`,
		`{"other":"` + name + `"}`, // unknown keys are not shown
	} {
		got := Describe(Frame{Header: Header{Length: uint32(len(payload)), Type: TypeHello},
			Payload: []byte(payload)}, 4096)
		if strings.Contains(got, "5f5f") {
			t.Errorf("%s", got)
		}
	}
	shown := Describe(Frame{Header: Header{Type: TypeHello},
		Payload: []byte(`{"session":"` + name + `","user":"alice"}`)}, 100)
	if !strings.Contains(shown, "alice") || !strings.Contains(shown, "(hidden)") {
		t.Error("nothing is left: ", shown)
	}
}
