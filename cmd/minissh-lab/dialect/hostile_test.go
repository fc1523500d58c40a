package dialect

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minissh/cmd/minissh-lab/folder"
	"minissh/protocol/testend"
)

// trickle is a conn that gives and takes one byte at a time: legal for TCP.
type trickle struct{ net.Conn }

func (c trickle) Read(p []byte) (int, error) { return c.Conn.Read(p[:min(1, len(p))]) }

// serveBytes gives a server all of in and returns what it answers and how it ends.
func serveBytes(t *testing.T, d *Dialect, o Options, in []byte, wrap func(net.Conn) net.Conn) (
	string, error) {
	t.Helper()
	here, there := net.Pipe()
	answer := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(here)
		answer <- string(b)
	}()
	result := make(chan error, 1)
	go func() {
		conn := net.Conn(there)
		if wrap != nil {
			conn = wrap(there)
		}
		result <- d.Serve(t.Context(), &endless{Conn: conn, rest: bytes.NewReader(in)}, o)
		there.Close()
	}()
	return testend.Next(t, "the answer ends", answer), testend.Next(t, "Serve ends", result)
}

// endless reads from rest and then says EOF; it writes to the pipe.
type endless struct {
	net.Conn
	rest *bytes.Reader
}

func (c *endless) Read(p []byte) (int, error) {
	if _, ok := c.Conn.(trickle); ok {
		p = p[:min(1, len(p))]
	}
	return c.rest.Read(p)
}

func byteByByte(c net.Conn) net.Conn { return trickle{c} }

func TestPutIsFoundHoweverItIsCut(t *testing.T) {
	golden := readGolden(t)
	for _, c := range []struct {
		d      *Dialect
		vector string
	}{{file, "file-put"}, {file, "file-put-ours"}, {oo, "oo-put"}, {oo, "oo-put-ours"}} {
		// and the next one glued to it
		two := append(append([]byte(nil), golden[c.vector]...), golden[c.vector]...)
		for _, wrap := range []func(net.Conn) net.Conn{nil, byteByByte} {
			if wrap != nil && c.d == file {
				// One byte of an unframed `put` is not a command yet, and the first recv is
				// taken for one: only what follows may come in pieces.
				continue
			}
			store := openFolder(t, "", "")
			if _, err := serveBytes(t, c.d, Options{Folder: store}, two, wrap); err != nil {
				t.Fatalf("%s: %v", c.vector, err)
			}
			for _, name := range []string{"a.txt", "a-2.txt"} {
				got, _ := os.ReadFile(filepath.Join(store.Path(), name))
				if string(got) != "hello world" {
					t.Errorf("%s: %s holds %q", c.vector, name, got)
				}
			}
		}
	}
	// The unframed command cut anywhere after its first word.
	b := golden["file-put"]
	for cut := 4; cut < len(b); cut++ {
		store := openFolder(t, "", "")
		here, there := net.Pipe()
		go func() {
			here.Write(b[:cut])
			here.Write(b[cut:])
			here.Close()
		}()
		err := file.Serve(t.Context(), there, Options{Folder: store})
		got, _ := os.ReadFile(filepath.Join(store.Path(), "a.txt"))
		if string(got) != "hello world" || err != nil {
			t.Fatalf("cut at %d: %q, %v", cut, got, err)
		}
	}
}

func TestGetListHoweverItIsCut(t *testing.T) {
	golden := readGolden(t)
	// and the next one glued to it
	two := append(append([]byte(nil), golden["oo-get"]...), golden["oo-get"]...)
	want := string(golden["file-get-answer"]) + string(golden["file-get-answer"])
	for _, wrap := range []func(net.Conn) net.Conn{nil, byteByByte} {
		store := openFolder(t, "a.txt", "hello world")
		if got, err := serveBytes(t, oo, Options{Folder: store}, two, wrap); err != nil ||
			got != want {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestHostilePuts(t *testing.T) {
	header := func(json string) string { return string(Frame(false, []byte(json))) }
	var limit *LengthError
	var bad *HeaderError
	for name, c := range map[string]struct {
		d    *Dialect
		in   string
		want func(error) bool
	}{
		"huge file": {oo, header(`{"cmd":"put","filename":"a","filesize":2147483648}`),
			func(err error) bool { return errors.As(err, &limit) }},
		"negative size": {oo, header(`{"cmd":"put","filename":"a","filesize":-1}`),
			func(err error) bool { return errors.As(err, &bad) }},
		"length -1": {oo, "\xff\xff\xff\xff",
			func(err error) bool { return errors.As(err, &limit) }},
		"length 2^31-1": {oo, "\xff\xff\xff\x7f",
			func(err error) bool { return errors.As(err, &limit) }},
		"endless name": {file, "put " + strings.Repeat("a", 100_000),
			func(err error) bool { return errors.As(err, &bad) }},
		"endless list": {oo, `["get", "` + strings.Repeat("a", 100_000),
			func(err error) bool { return errors.As(err, &bad) }},
		"no list": {oo, `[1,2,3,4]`, func(err error) bool { return errors.As(err, &bad) }},
		"end in header": {oo, header(`{"cmd":"put"}`)[:8],
			func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		"end in file": {oo, header(`{"cmd":"put","filename":"a","filesize":11}`) + "hello",
			func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		"file huge": {
			file, "put a" + header(`{"filename":"a","file_size":9223372036854775807}`),
			func(err error) bool { return errors.As(err, &limit) }},
		"file in header": {file, "put a" + header(`{"filename":"a","file_size":3}`) + "he",
			func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
	} {
		store := openFolder(t, "", "")
		if _, err := serveBytes(t, c.d, Options{Folder: store}, []byte(c.in), nil); !c.want(err) {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := os.ReadDir(store.Path()); len(left) != 0 {
			t.Errorf("%s: left behind %v", name, left)
		}
	}
}

func TestPutOutsideIsPassedOver(t *testing.T) {
	dir := t.TempDir()
	inner := filepath.Join(dir, "inner")
	if err := os.Mkdir(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	store, err := folder.Open(inner)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	evil := Frame(false, EncodeFields(Field{"cmd", "put"}, Field{"filename", "../evil"},
		Field{"filesize", 4}))
	good := Frame(false, EncodeFields(Field{"cmd", "put"}, Field{"filename", "good"},
		Field{"filesize", 4}))
	in := string(evil) + "evil" + string(good) + "good"
	if _, err := serveBytes(t, oo, Options{Folder: store}, []byte(in), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "evil")); err == nil {
		t.Error("a file was written outside the folder")
	}
	if got, _ := os.ReadFile(filepath.Join(inner, "good")); string(got) != "good" {
		t.Errorf("the put after the refused one holds %q", got)
	}
}

func TestWebPageGainsNothing(t *testing.T) {
	body := "put evil.txt" +
		string(Frame(false, EncodeFields(Field{"filename", "evil.txt"}, Field{"file_size", 4}))) +
		"evil"
	request := "POST / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: text/plain\r\n\r\n"
	for _, d := range []*Dialect{echo, naive, ack, simple, ultimate, file, oo} {
		for _, start := range []string{request, "GET /?a HTTP/1.1\r\n", "OPTIONS * HTTP/1.1\r\n",
			"PUT http://x/ HTTP/1.1\r\n"} {
			// The body in a recv of its own, and together with its head.
			for _, pieces := range [][]string{{start, body}, {start + body},
				{start[:3], start[3:], body}} {
				store := openFolder(t, "", "")
				here, there := net.Pipe()
				go func() {
					for _, p := range pieces {
						here.Write([]byte(p))
					}
					here.Close()
				}()
				ended := make(chan error, 1)
				go func() {
					ended <- d.Serve(t.Context(), there, Options{Folder: store})
					there.Close()
				}()
				io.Copy(io.Discard, here)
				err := testend.Next(t, "Serve ends", ended)
				if left, _ := os.ReadDir(store.Path()); len(left) != 0 {
					t.Errorf("%s: a web page wrote %v", d.Name, left)
				}
				if len(pieces) < 3 && !errors.Is(err, ErrBrowser) && d != oo {
					t.Errorf("%s: %v", d.Name, err)
				}
			}
		}
	}
}

func TestClientRefusesHostileAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		d      *Dialect
		answer string
	}{
		"length -1":       {simple, "\xff\xff\xff\xff"},
		"length 2^31-1":   {simple, "\xff\xff\xff\x7f"},
		"leftover":        {simple, "\nls\n"},
		"header -1":       {ultimate, "\xff\xff\xff\xff"},
		"header too long": {ultimate, string(EncodeLength(false, MaxHeader+1))},
		"data too long":   {ultimate, string(Frame(false, []byte(`{"total_size":2147483647}`)))},
		"no JSON":         {ultimate, string(Frame(false, []byte(`not JSON`)))},
		"file too long":   {file, string(Frame(false, []byte(`{"file_size":2147483647}`)))},
		"ack":             {ack, "many"},
		"end in length":   {simple, "\x08\x00"},
		"end in data":     {simple, "\x08\x00\x00\x00abc"},
	} {
		here, there := net.Pipe()
		go func() {
			there.Read(make([]byte, 64))
			there.Write([]byte(c.answer))
			there.Close()
		}()
		o := Options{Folder: openFolder(t, "", "")}
		if reply, err := NewClient(here, c.d, o).Exchange(t.Context(), "get a.txt"); err == nil ||
			errors.Is(err, io.EOF) {
			t.Errorf("%s: %+v, %v", name, reply, err)
		} else if zh, en, _, _ := Explain(err); zh == "" || en == "" {
			t.Errorf("%s: %v is not explained", name, err)
		}
		here.Close()
	}
}

func TestServersNameIsNotUsed(t *testing.T) {
	mine := openFolder(t, "", "")
	here, there := net.Pipe()
	go func() {
		there.Read(make([]byte, 64))
		there.Write(append(Frame(false, Superset("../../evil", "", 4, "")), "evil"...))
		there.Close()
	}()
	reply, err := NewClient(here, file, Options{Folder: mine}).Exchange(t.Context(), "get a.txt")
	if err != nil || reply.Saved != "a.txt" {
		t.Errorf("%+v, %v", reply, err)
	}
}
