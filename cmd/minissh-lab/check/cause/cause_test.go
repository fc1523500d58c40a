package cause

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"minissh/cmd/minissh-lab/dialect"
)

func le(n int) string { return string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }

func be(n int) string { return string(binary.BigEndian.AppendUint32(nil, uint32(n))) }

func name(b *Belief) string {
	if b == nil {
		return ""
	}
	return b.Name
}

func header(size int) string {
	return string(dialect.Frame(false, dialect.Superset("a.txt", "x", int64(size), "")))
}

func TestMessage(t *testing.T) {
	zhong := strings.Repeat("中", 300)
	for _, c := range []struct {
		what      string
		kind      Kind
		raw, body string
		stdout    int
		want      string
	}{
		{"right", Length, le(6) + "hello\n", "hello", 6, ""},
		{"right, windows", Length, le(7) + "hello\r\n", "hello", 7, ""},
		{"nothing", Length, le(0), "", 0, ""},
		{"big-endian", Length, be(6) + "hello\n", "hello", 6, "byte-order"},
		{"q", Length, le(6) + le(0) + "hello\n", "hello", 6, "length-width"},
		{"h", Length, "\x06\x00hello\n", "hello", 6, "length-width"},
		{"no length", Length, "hello\n", "hello", 6, "no-length"},
		{"no length, short", Length, "hi\n", "hi", 3, "no-length"},
		{"length as text", Length, "6hello\n", "hello", 6, "length-as-text"},
		{"one more", Length, le(7) + "hello\n", "hello", 6, "header-off-by-k"},
		{"one less", Length, le(5) + "hello\n", "hello", 6, "header-off-by-k"},
		{"characters", Length, le(301) + zhong + "\n", zhong, 301, "length-in-characters"},
		{"stderr not counted", Length, le(0) + "sh: no such command\n", "", -1, "uncounted-bytes"},
		{"stdout counted", Length, le(6) + "hello\nsh: no such command\n", "", 6, "uncounted-bytes"},
		{"gbk", Length, le(4) + "\xd6\xd0\xce\xc4", "中文", 7, "wrong-encoding"},
		{"repr", Length, le(10) + `b'hello\n'`, "hello", 6, "repr-for-json"},
		{"something else", Length, le(3) + "abc", "hello", 6, ""},

		{"right", Header, header(6) + "hello\n", "hello", 6, ""},
		{"no length", Header, header(6)[4:] + "hello\n", "hello", 6, "no-length"},
		{"big-endian", Header, be(len(header(6))-4) + header(6)[4:] + "hello\n", "hello", 6, "byte-order"},
		{"q", Header, header(6)[:4] + le(0) + header(6)[4:] + "hello\n", "hello", 6, "length-width"},
		{"one more", Header, le(len(header(6))-3) + header(6)[4:] + "hello\n", "hello", 6, "header-off-by-k"},
		{"size in characters", Header, header(301) + zhong + "\n", zhong, 301, "length-in-characters"},
		{"single quotes", Header, le(18) + "{'total_size': 11}" + "hello world", "hello world", 11, "repr-for-json"},
		{"no size", Header, le(17) + `{"name": "a.txt"}` + "hello", "hello", 5, "wrong-key"},
		{"header in characters", Header, le(31) + `{"name": "你好", "total_size": 5}` + "hello", "hello", 5, "length-in-characters"},
		{"uncounted", Header, header(0) + "sh: no such command\n", "", -1, "uncounted-bytes"},
		{"utf-16", Header, le(36) + string(wide([]byte(`{"total_size": 11}`), binary.LittleEndian)), "", -1, "wrong-encoding"},

		{"right", Decimal, "6hello\n", "hello", 6, ""},
		{"no length", Decimal, "hello\n", "hello", 6, "no-length"},
		{"characters", Decimal, "300" + zhong, zhong, 300, "length-in-characters"},

		{"right", Raw, "HELLO", "HELLO", -1, ""},
		{"repr", Raw, "b'HELLO'", "HELLO", -1, "repr-for-json"},
		{"utf-16", Raw, "\xff\xfeH\x00I\x00", "HI", -1, "wrong-encoding"},
	} {
		got := name(Message(c.kind, false, []byte(c.raw), []byte(c.body), c.stdout))
		if got != c.want {
			t.Errorf("%s, kind %d: %q, want %q", c.what, c.kind, got, c.want)
		}
	}
	got := name(Message(Length, true, []byte(le(6)+"hello\n"), []byte("hello"), 6))
	if got != "byte-order" {
		t.Errorf("little-endian where big was said: %q", got)
	}
}

func TestShows(t *testing.T) {
	for _, c := range []struct {
		printed, text string
		want          bool
	}{
		{">>: hello\nworld\n", "hello\nworld\n", true},
		{"b'hello\\nworld\\n'\n", "hello\nworld\n", true},
		{`received: b"it's\tso"` + "\n", "it's\tso", true},
		{`b'\xe4\xb8\xad'`, "中", true},
		{"b'hello\\nwor", "hello\nworld\n", false},
		{"hell\n", "hello", false},
		{`b'\xz\n\n'`, "z\nz", false},
		{`{"data": "\u4e2d\u6587\n"}`, "中文\n", true},
		{`'\u4e2'`, "中", false},
		{"\x1b[32mhello\x1b[0m\n\x1b[1;32mworld\x1b[0m\n", "hello\nworld\n", true},
		{"> hello\n> \n> world\n", "hello\n\nworld\n", true},
		{"> wo\n> rld\n", "world\n", false},
		{"> world\n> hello\n", "hello\nworld\n", false},
		{"('hello\\n'\n 'world\\n')\n", "hello\nworld\n", true},
	} {
		if Shows(c.printed, c.text) != c.want {
			t.Errorf("%q shows %q: %v", c.printed, c.text, !c.want)
		}
	}
}

func TestPrinted(t *testing.T) {
	letters := make([]byte, 20_000) // no part of which looks like another
	r := rand.New(rand.NewPCG(1, 2))
	for i := range letters {
		if letters[i] = byte('a' + r.IntN(26)); i%12 == 11 {
			letters[i] = '\n'
		}
	}
	long := string(letters)
	for _, c := range []struct {
		what   string
		n      int // how much of the text was printed
		total  int
		pieces []int
		want   string
	}{
		{"all", 3000, 3000, []int{3004}, ""},
		{"one recv(1024)", 1024, 3000, []int{3004}, "one-recv"},
		{"one recv(1024), length in it", 1020, 3000, []int{3004}, "one-recv"},
		{"over-counting", 2048, 3000, []int{3004}, "over-counting"},
		{"over-counting", 6144, 20_000, []int{20_004}, "over-counting"},
		{"recv(8192)", 8192, 20_000, []int{20_004}, "bigger-buffer"},
		{"recv(4096), length in it", 4092, 20_000, []int{20_004}, "bigger-buffer"},
		{"the first piece", 700, 3000, []int{704, 2300}, "break-when-short"},
		{"the first piece after the length", 700, 3000, []int{4, 700, 2300}, "break-when-short"},
		{"the first piece, byte by byte", 5, 3000, []int{1, 1, 1, 1, 5, 1, 2998}, "break-when-short"},
		{"one character may be chance", 1, 3000, []int{1, 1, 1, 1, 1, 1, 2998}, ""},
		{"anything", 333, 3000, []int{3004}, ""},
		{"nothing", 0, 3000, []int{3004}, ""},
	} {
		text := long[:c.total]
		got := name(Printed(">>: "+text[:c.n], text, Sent{Framing: 4, Pieces: c.pieces}))
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
	for from, want := range map[int]string{1000: "reads-too-much", 19_456: "keeps-last-piece"} {
		got := name(Printed(">>: "+long[from:]+">>: ", long,
			Sent{Framing: 4, Pieces: []int{len(long) + 4}}))
		if got != want {
			t.Errorf("from %d on: %q, want %q", from, got, want)
		}
	}
}

func TestTraceback(t *testing.T) {
	mine := func(file string) bool { return file == "s.py" }
	for _, c := range []struct {
		stderr string
		typ    string
		line   int
		meant  bool
		want   string
	}{
		{`Traceback (most recent call last):
  File "s.py", line 7, in <module>
    n = struct.unpack('i', conn.recv(4))[0]
        ^^^^^
struct.error: unpack requires a buffer of 4 bytes
`, "struct.error", 7, false, "short-recv"},
		{`Traceback (most recent call last):
  File "s.py", line 9, in <module>
    f()
  File "s.py", line 3, in f
    raise ValueError('length refused')
ValueError: length refused
`, "ValueError", 3, true, ""},
		{`  File "s.py", line 1
    def f(:
          ^
SyntaxError: invalid syntax
`, "SyntaxError", 1, false, "syntax-error"},
		{`Traceback (most recent call last):
  File "s.py", line 4, in <module>
    json.loads(x)
  File "/usr/lib/python3.11/json/__init__.py", line 346, in loads
    raise JSONDecodeError("x")
json.decoder.JSONDecodeError: Expecting value
`, "json.decoder.JSONDecodeError", 4, false, "crash"},
		{"listening\n", "", 0, false, ""},
	} {
		trace := Traceback(c.stderr, mine)
		if trace == nil {
			if c.typ != "" {
				t.Errorf("nothing in %q", c.stderr)
			}
			continue
		}
		if trace.Type != c.typ || trace.Line != c.line || trace.Meant() != c.meant ||
			name(trace.Belief()) != c.want {
			t.Errorf("%+v, meant %v, %q", trace, trace.Meant(), name(trace.Belief()))
		}
	}
}
