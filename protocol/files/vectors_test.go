//go:build unix

package files

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"minissh/protocol"
	"minissh/protocol/vectors"
)

// code is the code of a violation, "end" of a stream that breaks off, "none" without an error.
func code(t *testing.T, err error) string {
	t.Helper()
	var broken *protocol.Violation
	switch {
	case err == nil:
		return "none"
	case errors.As(err, &broken):
		return string(broken.Code)
	case err == io.ErrUnexpectedEOF:
		return "end"
	}
	t.Fatalf("neither a violation nor an end: %v", err)
	return ""
}

func TestRecordVectors(t *testing.T) {
	for _, v := range vectors.Read("records.txt") {
		t.Run(v.Name, func(t *testing.T) {
			stream := v.Bytes("hex")
			r := NewReader(bytes.NewReader(stream))
			var rec Record
			if err := r.Next(&rec); err != nil || v.Has("error") {
				if got := code(t, err); got != v.Text("error") {
					t.Errorf("%s, not %s: %v", got, v.Text("error"), err)
				}
				return
			}
			body := make([]byte, MaxBody)
			n, err := r.Body(body)
			if body = body[:n]; err != nil || !bytes.Equal(body, v.Bytes("body")) {
				t.Errorf("body: %q %v", body, err)
			}
			if want := frame(v.Text("header"), string(body)); !bytes.Equal(want, stream) {
				t.Errorf("the header is not %s", v.Text("header"))
			}
			if !bytes.Equal(rec.Name, v.Bytes("entry")) ||
				!bytes.Equal(rec.Target, v.Bytes("leads")) {
				t.Errorf("name %q, target %q", rec.Name, rec.Target)
			}
			if !v.Has("canonical") {
				return
			}
			var out bytes.Buffer
			w := NewWriter(&out)
			if err := errors.Join(w.Write(&rec, body), w.Flush()); err != nil ||
				!bytes.Equal(out.Bytes(), stream) {
				t.Errorf("written: %q %v", out.Bytes(), err)
			}
		})
	}
}

func TestConversationVectors(t *testing.T) {
	for _, v := range vectors.Read("files.txt") {
		t.Run(v.Name, func(t *testing.T) {
			switch stream := v.Bytes("hex"); v.Text("role") {
			case "receiver":
				receiverVector(t, v, stream)
			case "sender":
				senderVector(t, v, stream)
			default:
				t.Fatal("no such role")
			}
		})
	}
}

func receiverVector(t *testing.T, v vectors.Vector, stream []byte) {
	dir := t.TempDir()
	place, err := OpenPlace(nil, dir, true)
	must(t, err)
	defer place.Root.Close()
	var out bytes.Buffer
	_, err = Receive(bytes.NewReader(stream), &out, place, Options{}, nil)
	if got := code(t, err); got != v.Text("error") {
		t.Errorf("%s, not %s: %v", got, v.Text("error"), err)
	}
	var answers []string
	for r := NewReader(&out); ; {
		var rec Record
		if r.Next(&rec) != nil {
			break
		}
		if rec.Kind != KindStored {
			rec.Message, rec.Files, rec.Bytes = "", 0, 0
			answers = append(answers, string(rec.append(nil)))
		}
	}
	if want := v.All("answer"); v.Text("error") != "bad_record" && !slices.Equal(answers, want) {
		t.Errorf("answers\n%s\nnot\n%s", strings.Join(answers, "\n"), strings.Join(want, "\n"))
	}
	found := map[string][]string{}
	partials := 0
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		name := strings.TrimPrefix(path, dir+"/")
		switch {
		case err != nil || path == dir:
		case isPartial(d.Name()):
			partials++
		case d.IsDir():
			found["dir"] = append(found["dir"], name)
		case d.Type()&os.ModeSymlink != 0:
			found["link"] = append(found["link"], name)
		default:
			found["file"] = append(found["file"], name)
		}
		return err
	}))
	for _, kind := range []string{"file", "link", "dir"} {
		if !slices.Equal(found[kind], v.All(kind)) {
			t.Errorf("%s: %q, not %q", kind, found[kind], v.All(kind))
		}
	}
	want := 0
	if v.Has("partial") {
		want = int(v.Number("partial", 10))
	}
	if partials != want {
		t.Errorf("%d partial files, not %d", partials, want)
	}
}

func senderVector(t *testing.T, v vectors.Vector, stream []byte) {
	dir := t.TempDir()
	write(t, dir+"/a", []byte("x"))
	write(t, dir+"/b", []byte("x"))
	here, there := io.Pipe()
	sink, out := io.Pipe()
	o := Options{Recursive: true, Resume: v.Has("resume")}
	spoken := make(chan struct{})
	go func() {
		defer close(spoken)
		said := NewReader(sink)
		for rec := (Record{}); ; { // all that is sent before an answer is needed
			if said.Next(&rec) != nil || rec.Kind == KindDone || rec.Kind == KindOffer &&
				rec.ID == 2 {
				break
			}
		}
		there.Write(stream)
		there.Close()
		io.Copy(io.Discard, sink)
	}()
	_, err := Send(Stream{In: here, Out: out,
		Abort: func() { here.Close(); sink.Close() }}, []Source{{Path: dir + "/."}}, o, nil)
	out.Close()
	here.Close()
	<-spoken
	if got := code(t, err); got != v.Text("error") {
		t.Errorf("%s, not %s: %v", got, v.Text("error"), err)
	}
}
