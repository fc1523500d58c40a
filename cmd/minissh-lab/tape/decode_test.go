package tape

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"minissh/cmd/minissh-lab/dialect"
)

// decoded is what a decoder says about pieces: "> ls" of the client's, "< …" of the server's, "." a
// FIN and "!" an RST of that side.
func decoded(x *Decoder, pieces ...string) string {
	var said []string
	for _, p := range pieces {
		e := Event{Conn: 1, Kind: Data, Way: Up, Data: []byte(p[2:])}
		if p[0] == '<' {
			e.Way = Down
		}
		switch p[1] {
		case '.':
			e.Kind, e.Data = End, nil
		case '!':
			e.Kind, e.Data = Reset, nil
		}
		for _, f := range x.Event(e) {
			if f.En != "" {
				said = append(said, "# "+f.En)
				continue
			}
			said = append(said, fmt.Sprintf("%s %d %s %d-%d %s %s", f.Way, f.Message, f.Name,
				f.From, f.To, f.Value, f.Endian))
		}
	}
	return strings.Join(said, "\n")
}

const golden = "8\x00\x00\x00" + `{"filename": "a.txt", "md5": "xxdxxx", "total_size": 11}`

func TestDialectsAreGuessedAndDecoded(t *testing.T) {
	const command = "up 0 command 0-2 \"ls\" \n"
	const ultimate = "down 0 header_length 0-4 56 little\n" +
		`down 0 json 4-60 '{"filename": "a.txt", "md5": "xxdxxx", "total_size": 11}' ` +
		"\ndown 0 data 60-71 \"hello world\" "
	looks := "# looks like ultimate (chapter 16): " + dialect.Find("ultimate").En + "\n"
	for _, c := range []struct {
		what   string
		pieces []string
		want   string
	}{
		{"ultimate", []string{"> ls", "< " + golden + "hello world"}, command + looks + ultimate},
		{"cut everywhere", []string{"> ls", "< 8\x00", "< \x00\x00{\"file", "< " + golden[10:],
			"< hello", "<  world"}, command + looks + ultimate},
		{"two glued", []string{"> ls", "< " + golden + "hello world" + golden + "hello"},
			command + looks + ultimate + "\n" + strings.ReplaceAll(strings.ReplaceAll(
				ultimate[:strings.LastIndex(ultimate, "\n")], "down 0", "down 1"), "0-4 ",
				"71-75 ")},
		{"simple", []string{"> ls", "< \x05\x00\x00\x00hello"}, command +
			"# looks like simple (chapter 15): " + dialect.Find("simple").En + "\n" +
			"down 0 length 0-4 5 little\ndown 0 data 4-9 \"hello\" "},
		{"simple, big-endian", []string{"> ls", "< \x00\x00\x00\x05hello"}, command +
			"# looks like simple (chapter 15): " + dialect.Find("simple").En + "\n" +
			"down 0 length 0-4 5 big\ndown 0 data 4-9 \"hello\" "},
		{"ack", []string{"> ls", "< 5", "> recv_ready", "< hello"}, command +
			"# looks like ack (chapter 14): " + dialect.Find("ack").En + "\n" +
			"down 0 digits 0-1 5 \nup 1 ack 2-12 \"recv_ready\" \ndown 0 data 1-6 \"hello\" "},
		{"naive", []string{"> ls", "< a.txt\nb.txt\n"}, command +
			"# looks like naive (chapters 11-12): " + dialect.Find("naive").En},
		{"put, all glued", []string{"> put a.txt" + golden + "hello worldls"},
			"up 0 command 0-9 \"put a.txt\" \nup 1 header_length 9-13 56 little\n" +
				`up 1 json 13-69 '{"filename": "a.txt", "md5": "xxdxxx", "total_size": 11}' ` +
				"\nup 1 data 69-80 \"hello world\" \nup 2 command 80-82 \"ls\" "},
		{"put in pieces", []string{"> put a.txt", "> 8\x00\x00\x00", "> " + golden[4:],
			"> hello world"},
			"up 0 command 0-9 \"put a.txt\" \nup 1 header_length 9-13 56 little\n" +
				`up 1 json 13-69 '{"filename": "a.txt", "md5": "xxdxxx", "total_size": 11}' ` +
				"\nup 1 data 69-80 \"hello world\" "},
		{"a command with its length", []string{"> \x02\x00\x00\x00ls"},
			"up 0 length 0-4 2 little\nup 0 data 4-6 \"ls\" "},
		{"ended inside a header", []string{"> ls", "< 8\x00\x00\x00{\"a\": 1", "<."}, command +
			"# perhaps ultimate (chapter 16): " + dialect.Find("ultimate").En + "\n" +
			"down 0 header_length 0-4 56 little\n" +
			"# ← it ended inside a header: 7 of 56 bytes came"},
	} {
		x := NewDecoder(nil, false)
		got := decoded(x, c.pieces...)
		if c.what == "two glued" {
			got = strings.Replace(got, "75-131", "4-60", 1)
		}
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.what, got, c.want)
		}
	}
}

// On demand, the bytes are what the learner says, and what they cannot be is said.
func TestDialectOnDemand(t *testing.T) {
	for _, c := range []struct {
		dialect string
		big     bool
		pieces  []string
		want    string
	}{
		{"simple", false, []string{"< \xff\xff\xff\xffrest", "< more"},
			`# ← a length of -1 (ff ff ff ff, which is "\xff\xff\xff\xff") cannot be: ` +
				"not decoded from here on (another dialect: --dialect)"},
		{"simple", false, []string{"< ls: not found\n"},
			`# ← a length of 540701548 (6c 73 3a 20, which is "ls: ") cannot be: ` +
				"not decoded from here on (another dialect: --dialect)"},
		{"simple", true, []string{"< \x00\x00\x0b\xb8", "< " + strings.Repeat("x", 3000)},
			"down 0 length 0-4 3000 big\ndown 0 data 4-3004 \"" + strings.Repeat("x", 40) +
				"\"…(+2960) "},
		{"ack", false, []string{"< 3000x", "<!"}, "down 0 digits 0-4 3000 \n" +
			"# ← it ended inside data: 1 of 3000 bytes came"},
		{"ultimate", false, []string{"< 8\x00\x00\x00", "> .", "<!"},
			"down 0 header_length 0-4 56 little\nup 0 command 0-1 \".\" \n" +
				"# ← it ended inside a header: 0 of 56 bytes came"},
		{"echo", false, []string{"< \x05\x00\x00\x00hello"}, ""},
	} {
		pieces := c.pieces
		if got := decoded(NewDecoder(dialect.Find(c.dialect), c.big), pieces...); got != c.want {
			t.Errorf("%s %.30q:\n%s\nwant\n%s", c.dialect, pieces, got, c.want)
		}
	}
}

// A piece of nothing but lengths of 0 is as many messages, and nothing of it is kept.
func TestManyMessagesInAPiece(t *testing.T) {
	x := NewDecoder(dialect.Find("simple"), false)
	for range 3 {
		notes := x.Event(Event{Conn: 1, Kind: Data, Way: Down, Data: make([]byte, MaxPiece)})
		if len(notes) != MaxPiece/4 || cap(x.down.part) != 0 {
			t.Errorf("%d fields, %d bytes kept", len(notes), cap(x.down.part))
		}
	}
}

// Fields lie within the bytes, in order and without overlap, and cover what they say, however the
// bytes are cut.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte("ls"), []byte(golden+"hello world"), uint8(3), uint8(0))
	f.Add([]byte("put a.txt"+golden+"hello world"), []byte(""), uint8(1), uint8(5))
	f.Add([]byte("ls"), []byte("5hello3000"), uint8(1), uint8(3))
	f.Add([]byte("\x02\x00\x00\x00ls"), []byte("\x05\x00\x00\x00hello\xff\xff\xff\xff"), uint8(2),
		uint8(4))
	f.Fuzz(func(t *testing.T, up, down []byte, cut, which uint8) {
		var d *dialect.Dialect
		if n := int(which) % (len(dialect.All) + 1); n > 0 {
			d = dialect.All[n-1]
		}
		x := NewDecoder(d, which > 100)
		at := map[Way]int64{}
		all := map[Way][]byte{Up: up, Down: down}
		check := func(out []Note) {
			for _, f := range out {
				if f.En != "" {
					continue
				}
				whole := all[f.Way]
				if f.From < at[f.Way] || f.To <= f.From || f.To > int64(len(whole)) {
					t.Fatalf("%+v after %d of %d", f, at[f.Way], len(whole))
				}
				at[f.Way] = f.To
				if f.Bytes != nil && !bytes.Equal(f.Bytes, whole[f.From:f.To]) {
					t.Fatalf("%+v has other bytes", f)
				}
			}
		}
		for u, d := up, down; len(u)+len(d) > 0; {
			n := min(len(u), int(cut)+1)
			if n > 0 {
				check(x.Event(Event{Conn: 1, Kind: Data, Way: Up, Data: u[:n]}))
			}
			u = u[n:]
			if n = min(len(d), int(cut)+1); n > 0 {
				check(x.Event(Event{Conn: 1, Kind: Data, Way: Down, Data: d[:n]}))
			}
			d = d[n:]
		}
		check(x.Event(Event{Conn: 1, Kind: End, Way: Up}))
		check(x.Event(Event{Conn: 1, Kind: Reset, Way: Down}))
	})
}

// Read never panics, and what it takes is written as it was.
func FuzzRead(f *testing.F) {
	tape := New()
	n := tape.Connect()
	tape.Add(Event{Conn: n, Kind: Data, Way: Up, Data: []byte("ls"), Segments: 1})
	tape.Add(Event{Conn: n, Kind: End, Way: Up})
	tape.Add(Event{Conn: n, Kind: Reset, Way: Down})
	tape.AddCalls([]Event{{Conn: n, At: 1, Kind: Send, Way: Up, Size: 2}})
	f.Add(written(f, tape))
	f.Add([]byte(head + `{"conn": 0, "at": 7, "kind": "full"}` + "\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		h, events, err := Read(bytes.NewReader(file))
		if err != nil {
			return
		}
		var again bytes.Buffer
		w := NewWriter(&again, h.Began, h.Title)
		w.Write(events)
		if w.Err() != nil {
			return // a year beyond 9999
		}
		_, twice, err := Read(&again)
		if err != nil || len(twice) != len(events) {
			t.Fatalf("%d events, then %d, %v", len(events), len(twice), err)
		}
		for i := range events {
			if show(twice[i]) != show(events[i]) {
				t.Fatalf("%s, then %s", show(events[i]), show(twice[i]))
			}
		}
	})
}
