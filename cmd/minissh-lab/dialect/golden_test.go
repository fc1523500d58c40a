package dialect

import (
	"bytes"
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"
)

// readGolden reads testdata/golden.txt, which Python's struct and json have printed
// (peers/golden.py; a test there checks that they still print the same).
func readGolden(t *testing.T) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	vectors := map[string][]byte{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, digits, _ := strings.Cut(strings.TrimSpace(line), " ")
		if vectors[name], err = hex.DecodeString(digits); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return vectors
}

const (
	helloMD5 = "5eb63bbbe01eeed093cb22bb8f5acdc3"
	emptyMD5 = "d41d8cd98f00b204e9800998ecf8427e"
)

func TestGoldenBytes(t *testing.T) {
	hello := "hello world"
	join := func(parts ...any) []byte {
		var b []byte
		for _, p := range parts {
			switch p := p.(type) {
			case string:
				b = append(b, p...)
			case []byte:
				b = append(b, p...)
			}
		}
		return b
	}
	out, errOut := []byte("out\n"), []byte("err\n")
	course := func(size string) []byte {
		return EncodeFields(Field{"filename", "a.txt"}, Field{"md5", "xxdxxx"}, Field{size, 11})
	}
	ours := map[string][]byte{
		"length-3000":         EncodeLength(false, 3000),
		"length-3000-big":     EncodeLength(true, 3000),
		"length-0":            EncodeLength(false, 0),
		"length-minus-1":      EncodeLength(false, -1),
		"length-max":          EncodeLength(false, 1<<31-1),
		"echo":                Upper([]byte("hello, é你好 123")),
		"naive":               NaiveReply(out, errOut),
		"ack-length":          AckLength(3000),
		"ack":                 []byte(AckText),
		"simple":              SimpleReply(false, out, errOut),
		"simple-big":          SimpleReply(true, out, errOut),
		"simple-empty":        SimpleReply(false, nil, nil),
		"header-course":       Frame(false, course("total_size")),
		"header-data-size":    Frame(false, EncodeFields(Field{"data_size", 11})),
		"header-superset":     Frame(false, Superset("a.txt", "xxdxxx", 11, "")),
		"header-superset-big": Frame(true, Superset("a.txt", "xxdxxx", 11, "")),
		"header-chinese":      Frame(false, Superset("你好.txt", "xxdxxx", 11, "")),
		"header-odd-name": Frame(false, Superset("\"\\\n\t\r\b\f\x7f\x1b😀", "xxdxxx", 1<<31,
			"")),
		"header-error":    Frame(false, Superset("no.txt", "", 0, "no such file")),
		"ultimate":        UltimateReply(false, "a.txt", []byte(hello), nil),
		"ultimate-big":    UltimateReply(true, "a.txt", []byte(hello), nil),
		"file-get":        []byte(FileCommand("get", "a.txt")),
		"file-get-answer": join(Frame(false, Superset("a.txt", helloMD5, 11, "")), hello),
		"file-get-empty":  Frame(false, Superset("empty.txt", emptyMD5, 0, "")),
		"file-put": join(FileCommand("put", "a.txt"), Frame(false, course("file_size")),
			hello),
		"file-put-ours": join(FileCommand("put", "a.txt"),
			Frame(false, Superset("a.txt", helloMD5, 11, "")), hello),
		"oo-put": join(Frame(false, EncodeFields(Field{"cmd", "put"}, Field{"filename", "a.txt"},
			Field{"filesize", 11})), hello),
		"oo-put-ours":    join(Frame(false, PutHeader("a.txt", helloMD5, 11)), hello),
		"oo-get":         EncodeList("get", "a.txt"),
		"oo-get-chinese": EncodeList("get", "你好.txt"),
	}
	golden := readGolden(t)
	for name, want := range golden {
		if got, ok := ours[name]; !ok {
			t.Errorf("%s: no test uses this vector", name)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, want)
		}
		delete(ours, name)
	}
	for name := range ours {
		t.Errorf("%s: not in golden.txt", name)
	}
	// COURSE: 38 00 00 00, then 56 bytes.
	if h := golden["header-course"]; !bytes.HasPrefix(h, []byte{0x38, 0, 0, 0, '{'}) ||
		len(h) != 4+56 {
		t.Errorf("the course's header is % x", h[:8])
	}
}

func TestDecodeGolden(t *testing.T) {
	golden := readGolden(t)
	for name, want := range map[string]int64{"length-3000": 3000, "length-0": 0,
		"length-minus-1": -1, "length-max": -1} {
		n, err := DecodeLength(false, golden[name], 64<<20)
		if (err == nil) != (want >= 0) || err == nil && int64(n) != want {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	for _, name := range []string{"header-course", "header-data-size", "header-superset",
		"header-chinese", "oo-put", "header-error"} {
		b := golden[name]
		n, err := DecodeLength(false, b, MaxHeader)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		h, err := ParseHeader(b[4 : 4+n])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if size := map[bool]int64{true: 0, false: 11}[name == "header-error"]; h.Size != size {
			t.Errorf("%s: size %d", name, h.Size)
		}
		if wantErr := name == "header-error"; wantErr != (h.Err != "") {
			t.Errorf("%s: error %q", name, h.Err)
		}
	}
	for _, name := range []string{"file-put", "file-put-ours"} {
		b := golden[name]
		command, rest, ok := SplitPut(false, b)
		if !ok || string(command) != "put a.txt" || !bytes.Equal(rest, b[9:]) {
			t.Errorf("%s: %q, %v", name, command, ok)
		}
		for cut := range bytes.IndexByte(b, '{') { // every truncated prefix: not yet
			if _, _, ok := SplitPut(false, b[:cut]); ok {
				t.Errorf("%s: the first %d bytes were enough", name, cut)
			}
		}
	}
}

func TestDecodeLengthRefusesText(t *testing.T) {
	// The first bytes of an answer that was left over are not a length.
	for _, text := range []string{"line", "\nls\n", "\t\t\t\t", "HTTP"} {
		if n, err := DecodeLength(false, []byte(text), 64<<20); err == nil {
			t.Errorf("%q was read as length %d", text, n)
		}
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	for _, raw := range []string{
		"", "[]", "{", `{"filename":"a"}`, `{"file_size":-1}`, `{"file_size":"11"}`,
		`{"file_size":1.5}`, `{"total_size":1e400}`,
		`{"file_size":99999999999999999999}`, "null", "\xff",
	} {
		if h, err := ParseHeader([]byte(raw)); err == nil {
			t.Errorf("ParseHeader(%q) = %+v", raw, h)
		}
	}
	if h, err := ParseHeader([]byte(`{"fileName":"x","fileSize":4294967296}`)); err != nil ||
		h.Name != "x" || h.Size != 1<<32 {
		t.Errorf("camel case: %+v, %v", h, err)
	}
}

func TestParseAckLength(t *testing.T) {
	for in, want := range map[string]struct {
		n    int
		rest string
		bad  bool
	}{
		"3000":       {n: 3000},
		"0":          {},
		"3data":      {n: 3, rest: "data"},
		"":           {bad: true},
		"-1":         {bad: true},
		"x":          {bad: true},
		"2147483647": {bad: true},
		"999999999":  {bad: true},
	} {
		n, rest, err := ParseAckLength([]byte(in), 64<<20)
		if (err != nil) != want.bad || err == nil && (n != want.n || string(rest) != want.rest) {
			t.Errorf("ParseAckLength(%q) = %d, %q, %v", in, n, rest, err)
		}
	}
}

func TestGuess(t *testing.T) {
	golden := readGolden(t)
	for _, c := range []struct {
		first, command string
		want           *Dialect
		big, certain   bool
	}{
		{"HELLO", "hello", echo, false, true},
		{string(golden["ultimate"]), "ls", ultimate, false, true},
		{string(golden["ultimate-big"]), "ls", ultimate, true, true},
		{string(golden["file-get-answer"]), "get a.txt", file, false, true},
		{string(golden["simple"]), "ls", simple, false, true},
		{string(golden["simple-big"]), "ls", simple, true, true},
		{string(golden["simple-empty"]), "cd /", simple, false, true},
		{string(EncodeLength(false, 3000)) + "part", "big", simple, false, false},
		{string(EncodeLength(false, 2)) + "{\n", "echo {", simple, false, true},
		{"3000", "big", ack, false, true},
		{"0", "cd /", ack, false, true},
		{"a.txt\n", "ls", naive, false, true},
		{"1\n2\n3\n", "seq 3", naive, false, true},
		{"/\n", "pwd", naive, false, false},
	} {
		d, big, certain := Guess([]byte(c.first), c.command)
		if d != c.want || big != c.big || certain != c.certain {
			t.Errorf("Guess(%.40q, %q) = %s, big %v, certain %v", c.first, c.command, d.Name, big,
				certain)
		}
	}
}

func TestTableIsTheCourses(t *testing.T) {
	var names []string
	for _, d := range All {
		names = append(names, d.Name)
		if Find(d.Name) != d || d.Zh == "" || d.En == "" || d.Chapters == "" ||
			(d.serve == nil) != d.Datagram || (d.answer == nil) == d.Datagram {
			t.Errorf("%s is not whole", d.Name)
		}
	}
	want := strings.Split("echo|naive|ack|simple|ultimate|file|oo|udp|udp-exec", "|")
	if !slices.Equal(names, want) {
		t.Errorf("dialects %v, want %v", names, want)
	}
	if Find("none") != nil {
		t.Error("found a dialect that is not there")
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add([]byte(`{"filename": "a.txt", "md5": "xxdxxx", "total_size": 11}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if h, err := ParseHeader(raw); err == nil && h.Size < -1 {
			t.Errorf("size %d", h.Size)
		}
		SplitPut(false, raw)
		Guess(raw, "ls")
		ParseAckLength(raw, 100)
	})
}
