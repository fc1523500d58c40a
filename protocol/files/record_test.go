package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"minissh/protocol"
)

func frame(head string, body string) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(head))), head...), body...)
}

// Each record is written as encoding/json would read it, and read back as it was; every shorter
// stream is cut short.
func TestRecords(t *testing.T) {
	for _, rec := range []Record{
		{Kind: KindDone}, {Kind: KindTotal, Files: 3, Bytes: 1 << 60},
		{Kind: KindFile, ID: 7, Name: protocol.Bytes("a/b"), Size: 3, Mode: 0o644, Mtime: 1700000000, Nsec: 5, Body: 3, Digest: "sha256:00"},
		{Kind: KindFile, Name: protocol.Bytes("中\n\"\\<&>\x7f"), Mtime: -1, Size: 3, Offset: 2},
		{Kind: KindLink, Name: protocol.Bytes("\xff\xfe"), Target: protocol.Bytes("\xd6")},
		{Kind: KindError, Code: CodeExists, Message: "it's \x1b[31m there"}, {Kind: KindData, Body: 2},
	} {
		body := strings.Repeat("x", int(rec.Body))
		var out bytes.Buffer
		w := NewWriter(&out)
		if err := errors.Join(w.Write(&rec, []byte(body)), w.Flush()); err != nil {
			t.Fatal(err)
		}
		stream := out.Bytes()
		var again, strict Record
		r := NewReader(bytes.NewReader(stream))
		if err := r.Next(&again); err != nil || !reflect.DeepEqual(again, rec) {
			t.Errorf("%s\n%+v\n%+v %v", stream, rec, again, err)
		}
		if got := make([]byte, 10); rec.Body > 0 {
			if n, err := r.Body(got); n != len(body) || err != nil {
				t.Errorf("body: %d %v", n, err)
			}
		}
		if err := r.Next(&again); err != io.EOF {
			t.Errorf("after it: %v", err)
		}
		if err := protocol.DecodeJSON(stream[4:len(stream)-len(body)], &strict); err != nil ||
			!reflect.DeepEqual(strict, rec) {
			t.Errorf("encoding/json reads %+v %v", strict, err)
		}
		for n := 1; n < len(stream); n++ {
			r := NewReader(bytes.NewReader(stream[:n]))
			err := r.Next(&again)
			if err == nil {
				err = r.Drop()
			}
			if err != io.ErrUnexpectedEOF {
				t.Fatalf("%d of %d bytes: %v", n, len(stream), err)
			}
		}
	}
}

// What FI3 and JS2 forbid is refused before anything is done with it.
func TestBadRecords(t *testing.T) {
	for _, stream := range [][]byte{
		{0, 0, 0, 0}, {0, 0, 0, 1, '{'}, {0, 0, 0x40, 1}, {0xff, 0xff, 0xff, 0xff}, frame(`[]`, ""),
		frame(`{}{}`, ""), frame(`{"kind":"file","kind":"dir"}`, ""),
		frame(`{"kind":"file","Size":1}`, ""), frame(`{"kind":"file","size":1.5}`, ""),
		frame(`{"kind":"file","size":-1}`, ""),
		frame(`{"kind":"file","size":99999999999999999999}`, ""),
		frame(`{"kind":"file","body":262145,"size":262145}`, ""),
		frame(`{"kind":"dir","body":1}`, "x"), frame(`{"kind":"file","body":-1}`, ""),
		frame(`{"kind":"file","nsec":1000000000}`, ""),
		frame(`{"kind":"file","name":"a\u0000b"}`, ""),
		frame(`{"kind":"file","name":"\ud800"}`, ""), frame(`{"kind":"file","name":7}`, ""),
		frame(`{"kind":"file","offset":2,"size":1}`, ""),
		frame("{\"kind\":\"file\",\"name\":\"\xff\"}", ""), frame(`{"kind":"file","size":01}`, ""),
		frame(`{"kind":"file",}`, ""), frame(`{"kind":"file"`, ""),
	} {
		var rec Record
		err := NewReader(bytes.NewReader(stream)).Next(&rec)
		var broken *protocol.Violation
		if !errors.As(err, &broken) || broken.Code != protocol.CodeBadRecord {
			t.Errorf("%q: %v, %+v", stream, err, rec)
		}
	}
	var rec Record
	if err := NewReader(bytes.NewReader(frame(`{"kind":"file","later":{"a":[1]},"size":2}`,
		""))).Next(&rec); err != nil || rec.Size != 2 {
		t.Errorf("an unknown key: %v", err)
	}
}

// The quick reader says the same as the strict one, or nothing.
func FuzzRecord(f *testing.F) {
	for _, seed := range []string{`{"kind":"file","id":1,"name":"a","size":3,"digest":"sha256:00"}`,
		`{"kind":"done"}`, `{"kind":"dir","name":{"b64":"/w=="}}`, `{}`, `{"kind":""}`,
		`{"name":"","kind":"x"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		if len(head) < 2 || len(head) > MaxHeader {
			return
		}
		var quick, strict Record
		if !quick.parse(head) {
			return
		}
		if err := protocol.DecodeJSON(head, &strict); err != nil ||
			!reflect.DeepEqual(quick, strict) {
			t.Fatalf("%q: %+v, strictly %+v %v", head, quick, strict, err)
		}
	})
}

// A receiver that is fed anything ends, writes nothing outside, and does not panic.
func FuzzReceive(f *testing.F) {
	whole := `{"kind":"file","id":1,"name":"a","size":3,"body":3,"digest":"sha256:98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4"}`
	f.Add(append(frame(whole, "hi\n"), frame(`{"kind":"done"}`, "")...))
	f.Add(append(frame(`{"kind":"dir","id":1,"name":"d","mode":448}`, ""),
		frame(`{"kind":"link","id":2,"name":"d/l","target":".."}`, "")...))
	f.Add(append(frame(`{"kind":"offer","id":1,"name":"a","size":9}`, ""),
		frame(`{"kind":"file","id":1,"name":"a","size":9,"body":4}`, "abcd")...))
	// One folder for all: to make and remove one for each stream costs more than the stream. It is
	// in memory if the system has such a place.
	above := "/dev/shm"
	if _, err := os.Stat(above); err != nil {
		above = ""
	}
	outer, err := os.MkdirTemp(above, "minissh-fuzz")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { os.RemoveAll(outer) })
	inner := filepath.Join(outer, "inner")
	if err := os.Mkdir(inner, 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		place, err := OpenPlace(nil, inner, true)
		if err != nil {
			t.Fatal(err)
		}
		Receive(bytes.NewReader(stream), io.Discard, place, Options{Preserve: true}, nil)
		place.Root.Close()
		if there, err := os.ReadDir(outer); err != nil || len(there) != 1 ||
			there[0].Name() != "inner" {
			t.Errorf("outside of the folder: %v, %v", there, err)
		}
		made, err := os.ReadDir(inner)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range made {
			filepath.WalkDir(filepath.Join(inner, entry.Name()),
				func(path string, d fs.DirEntry, err error) error {
					if err == nil && d.IsDir() {
						// a folder may have been sent with a mode that keeps us out
						os.Chmod(path, 0o700)
					}
					return err
				})
			if err := os.RemoveAll(filepath.Join(inner, entry.Name())); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{ // "unix", "windows", "both"
		"a": "both", "a/b": "both", "中文": "both", "-rf": "both", " a": "both", "a b": "both",
		"\xff": "both", "...a": "both", ".minissh": "both",
		"": "", ".": "", "..": "", "../a": "", "a/../b": "", "a/..": "", "/a": "", "a/": "",
		"a//b": "", "./a": "", "a\x00b": "", strings.Repeat("a/", 2048) + "a": "",
		".minissh-0011223344556677.part": "", "d/.minissh-x.part": "",
		"C:": "unix", `a\b`: "unix", `..\a`: "unix", "a:b": "unix", "CON": "unix",
		"con.txt": "unix", "x/NUL": "unix", "COM1": "unix", "com¹": "unix", "LPT9.a.b": "unix",
		"a.": "unix", "a ": "unix",
		"a?": "unix", "new\nline": "unix", "CONIN$": "unix", "CON .txt": "unix", "COM10": "both",
		"CONS": "both",
	} {
		for _, system := range []string{"unix", "windows"} {
			_, err := localName(name, system)
			if taken := err == nil; taken != (want == "both" || want == system) {
				t.Errorf("%q on %s: %v", name, system, err)
			}
		}
	}
}
