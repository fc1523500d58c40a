//go:build unix

package files

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"minissh/protocol"
)

// fed is what a receiver made of a stream.
type fed struct {
	sum     Summary
	err     error
	answers []Record
}

// feed gives a receiver records from a sender that may break any rule. between, which may be nil,
// is called between the records.
func feed(t testing.TB, target string, o Options, records []Record, bodies map[int]string,
	between func(i int)) fed {
	t.Helper()
	place, err := OpenPlace(nil, target, false)
	must(t, err)
	defer place.Root.Close()
	in, feeder := io.Pipe()
	go func() {
		for i, rec := range records {
			body := bodies[i]
			rec.Body = int64(len(body))
			if between != nil {
				between(i)
			}
			feeder.Write(append(frame(string(rec.append(nil)), ""), body...))
		}
		feeder.Close()
	}()
	var out bytes.Buffer
	var f fed
	f.sum, f.err = Receive(in, &out, place, o, nil)
	in.Close()
	for r := NewReader(&out); ; {
		var rec Record
		if r.Next(&rec) != nil {
			return f
		}
		f.answers = append(f.answers, rec)
	}
}

func (f fed) code(id int64) string {
	for _, rec := range f.answers {
		if rec.Kind == KindError && rec.ID == id {
			return rec.Code
		}
	}
	return ""
}

func named(s string) protocol.Bytes { return protocol.Bytes(s) }

func sum(body string) string {
	digest := sha256.Sum256([]byte(body))
	return digestName + hex.EncodeToString(digest[:])
}

// small is a whole file's record.
func small(id int64, name, body string) Record {
	return Record{Kind: KindFile, ID: id, Name: named(name), Size: int64(len(body)), Mode: 0o666,
		Digest: sum(body)}
}

var done = Record{Kind: KindDone}

// victim is a target folder next to what must not change.
func victim(t testing.TB) (target string, untouched func()) {
	top := t.TempDir()
	write(t, top+"/outside/secret", []byte("secret"))
	write(t, top+"/target/there", []byte("there"))
	before := look(t, top+"/outside", true)
	return top + "/target", func() {
		t.Helper()
		if after := look(t, top+"/outside", true); after != before {
			t.Errorf("outside is\n%s, and was\n%s", after, before)
		}
		entries, _ := os.ReadDir(top)
		if len(entries) != 2 {
			t.Errorf("next to the target are %v", entries)
		}
		same, _ := os.ReadFile(top + "/target/there")
		if string(same) != "there" {
			t.Errorf("what was there is %q", same)
		}
	}
}

// None of these names leads anywhere else.
func TestHostileNames(t *testing.T) {
	target, untouched := victim(t)
	var records []Record
	bodies := map[int]string{}
	for i, name := range []string{
		"..", "../outside/secret", "/" + target + "/x", target + "/../outside/secret",
		"a/../../outside/secret", "./x", "x/", "x//y", "", ".", "a/..",
		strings.Repeat("../", 50) + "tmp/x",
		partialName("there"), "d/" + partialName("x"), strings.Repeat("n", 5000),
	} {
		records = append(records, small(int64(i+1), name, "evil"))
		bodies[i] = "evil"
	}
	f := feed(t, target, Options{}, append(records, done), bodies, nil)
	for _, rec := range records {
		if f.code(rec.ID) != CodeNameRefused {
			t.Errorf("%q: %q", rec.Name, f.code(rec.ID))
		}
	}
	if f.err != nil || f.sum.Stored != 0 {
		t.Errorf("%+v %v", f.sum, f.err)
	}
	// A zero byte cannot even be sent.
	zero := append(frame(`{"kind":"file","id":1,"name":"a\u0000/../../x","size":0,"digest":"x"}`,
		""), frame(`{"kind":"done"}`, "")...)
	place, err := OpenPlace(nil, target, true)
	must(t, err)
	defer place.Root.Close()
	var broken *protocol.Violation
	if _, err := Receive(bytes.NewReader(zero), io.Discard, place, Options{}, nil); !errors.As(err,
		&broken) {
		t.Errorf("a zero byte: %v", err)
	}
	untouched()
}

// Links that lead out, planted by the sender itself, found there, or swapped in meanwhile: nothing
// is written through them.
func TestHostileLinks(t *testing.T) {
	target, untouched := victim(t)
	outside := filepath.Join(filepath.Dir(target), "outside")
	must(t, os.Symlink(outside, target+"/found"))
	must(t, os.Link(outside+"/secret", target+"/hard"))
	must(t, os.MkdirAll(target+"/swapped", 0o755))
	must(t, os.Symlink(outside+"/secret", filepath.Join(target, partialName("p"))))
	must(t, os.Link(outside+"/secret", filepath.Join(target, partialName("h"))))
	large := func(id int64, name string) Record {
		return Record{Kind: KindFile, ID: id, Name: named(name), Size: 8, Mode: 0o666}
	}
	records := []Record{
		{Kind: KindLink, ID: 1, Name: named("out"), Target: named(outside)},
		small(2, "out/secret", "evil"),
		{Kind: KindLink, ID: 3, Name: named("up"), Target: named("../outside")},
		small(4, "up/secret", "evil"), {Kind: KindDir, ID: 5, Name: named("up"), Mode: 0o777},
		small(6, "found/secret", "evil"), {Kind: KindDir, ID: 7, Name: named("found/new"),
			Mode: 0o777}, {Kind: KindLink, ID: 8, Name: named("found/l"), Target: named("x")},
		small(9, "hard", "evil"),
		{Kind: KindDir, ID: 10, Name: named("swapped"), Mode: 0o777},
		small(11, "swapped/secret", "evil"), small(12, "other", "evil"),
		small(13, "swapped/secret", "evil"),
		{Kind: KindLink, ID: 14, Name: named("file"), Target: named(outside + "/secret")},
		small(15, "file", "evil"),
		large(16, "p"), {Kind: KindData}, {Kind: KindEnd, Digest: sum("evilevil")},
		large(17, "h"), {Kind: KindData}, {Kind: KindEnd, Digest: sum("evilevil")},
		{Kind: KindOffer, ID: 18, Name: named("found/secret"), Size: 6},
		{Kind: KindOffer, ID: 19, Name: named("h"), Size: 100}, done,
	}
	bodies := map[int]string{16: "evilevil", 19: "evilevil"}
	for i, rec := range records {
		if rec.Kind == KindFile && rec.Digest != "" {
			bodies[i] = "evil"
		}
	}
	f := feed(t, target, Options{Preserve: true}, records, bodies, func(i int) {
		if i == 12 { // between two files of the same folder, it becomes a link
			must(t, os.Rename(target+"/swapped", target+"/moved"))
			must(t, os.Symlink(outside, target+"/swapped"))
		}
	})
	if f.err != nil {
		t.Fatal(f.err)
	}
	for id, want := range map[int64]string{2: CodeOutside, 4: CodeOutside, 5: CodeOutside,
		6: CodeOutside, 7: CodeOutside, 8: CodeOutside, 9: "", 11: "", 13: CodeOutside, 15: "",
		16: "", 17: ""} {
		if got := f.code(id); got != want {
			t.Errorf("entry %d: %q, want %q", id, got, want)
		}
	}
	for _, rec := range f.answers {
		if rec.Kind == KindWant && rec.Offset != 0 {
			t.Errorf("a look outside was answered: %+v", rec)
		}
	}
	untouched()
}

// A receiver that must stay in its folder takes no link that leads out, not even through another.
func TestPlainLinks(t *testing.T) {
	target, untouched := victim(t)
	f := feed(t, target, Options{PlainLinks: true}, []Record{
		{Kind: KindLink, ID: 1, Name: named("a"), Target: named("/etc")}, {Kind: KindLink, ID: 2, Name: named("b"), Target: named("..")},
		{Kind: KindLink, ID: 3, Name: named("c"), Target: named("x/../..")},
		{Kind: KindLink, ID: 4, Name: named("d"), Target: named("there")}, done,
	}, nil, nil)
	for id, want := range map[int64]string{1: CodeOutside, 2: CodeOutside, 3: CodeOutside, 4: ""} {
		if f.code(id) != want {
			t.Errorf("link %d: %q", id, f.code(id))
		}
	}
	untouched()
}

// Streams that break a rule end, and leave nothing under the name that they gave.
func TestHostileStreams(t *testing.T) {
	const over = "over and over"
	file := func(size int64) Record {
		return Record{Kind: KindFile, ID: 1, Name: named("f"), Size: size, Mode: 0o600}
	}
	for what, c := range map[string]struct {
		records []Record
		bodies  map[int]string
		stays   bool // broken off, and not by a rule
	}{
		"more than its size": {[]Record{file(3)}, map[int]string{0: over}, false},
		"more data than size": {[]Record{file(3), {Kind: KindData}}, map[int]string{1: over},
			false},
		"an early end": {[]Record{file(3), {Kind: KindEnd, Digest: sum("")}}, nil, false},
		"a digest too early": {[]Record{{Kind: KindFile, ID: 1, Name: named("f"), Size: 9,
			Digest: sum("x")}}, map[int]string{0: "x"}, false},
		"done within a file":   {[]Record{file(3), done}, nil, false},
		"a file within a file": {[]Record{file(3), small(2, "g", "")}, nil, false},
		"data from nowhere":    {[]Record{{Kind: KindData}}, map[int]string{0: "x"}, false},
		"an end from nowhere":  {[]Record{{Kind: KindEnd}}, nil, false},
		"numbers that fall":    {[]Record{small(2, "a", ""), small(1, "b", "")}, nil, false},
		"no number":            {[]Record{small(0, "a", "")}, nil, false},
		"an offset of nothing": {[]Record{{Kind: KindFile, ID: 1, Name: named("f"), Size: 9,
			Offset: 3}}, nil, false},
		"an offer twice": {[]Record{{Kind: KindOffer, ID: 1, Name: named("there"), Size: 5},
			{Kind: KindOffer, ID: 1, Name: named("there"), Size: 5}}, nil, false},
		"a receiver's word": {[]Record{{Kind: KindWant, ID: 1}}, nil, false},
		"an unknown word":   {[]Record{{Kind: "format"}}, nil, false},
		"the largest size": {[]Record{file(1<<63 - 1), {Kind: KindData}},
			map[int]string{1: over}, true},
		"nothing":                {nil, nil, true},
		"a size that never ends": {[]Record{file(1 << 50)}, nil, true},
	} {
		t.Run(what, func(t *testing.T) {
			target, untouched := victim(t)
			f := feed(t, target, Options{}, c.records, c.bodies, nil)
			var broken *protocol.Violation
			if errors.As(f.err, &broken) == c.stays || c.stays && f.err != io.ErrUnexpectedEOF {
				t.Errorf("%v", f.err)
			}
			if _, err := os.Lstat(target + "/f"); err == nil {
				t.Error("the file is there")
			}
			untouched()
		})
	}
	// A digest that is wrong, in one record and in many.
	target, untouched := victim(t)
	wrong := small(1, "there", "evil")
	wrong.Digest = sum("good")
	f := feed(t, target, Options{}, []Record{wrong, {Kind: KindFile, ID: 2, Name: named("there"),
		Size: 4}, {Kind: KindData}, {Kind: KindEnd, Digest: sum("good")},
		{Kind: KindFile, ID: 3, Name: named("there"), Size: 4},
		{Kind: KindEnd, Code: CodeChanged, Message: "x"}, done},
		map[int]string{0: "evil", 2: "evil"}, nil)
	if f.code(1) != CodeDigest || f.code(2) != CodeDigest || f.err != nil || f.sum.Failed != 3 {
		t.Errorf("%+v", f)
	}
	if left, _ := filepath.Glob(target + "/.minissh*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	untouched()
}

// A million tiny names, half of them failing, in a bounded memory.
func TestManyNames(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: -short")
	}
	const many = 1_000_000
	target, untouched := victim(t)
	place, err := OpenPlace(nil, target, true)
	must(t, err)
	defer place.Root.Close()
	in, feeder := io.Pipe()
	var grown uint64
	go func() {
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		w := NewWriter(feeder)
		for i := range int64(many) {
			rec := Record{Kind: KindDir, ID: i + 1, Name: named(fmt.Sprintf("../%d", i))}
			switch i % 4 {
			case 1: // a folder that is there, again and again
				rec.Name = named("there")
			case 2:
				rec = Record{Kind: KindOffer, ID: i + 1, Name: named(fmt.Sprint("nothing ", i)),
					Size: 9}
			case 3:
				rec = Record{Kind: KindFault, ID: i + 1, Name: named(fmt.Sprint("fault ", i)),
					Code: CodeIO, Message: "x"}
			}
			w.Write(&rec, nil)
		}
		runtime.GC()
		runtime.ReadMemStats(&now)
		grown = now.HeapAlloc - min(before.HeapAlloc, now.HeapAlloc)
		w.Write(&done, nil)
		w.Flush()
	}()
	s, err := Receive(in, io.Discard, place, Options{Preserve: true}, nil)
	if err != nil || s.Failed != many*3/4 {
		t.Errorf("%+v %v", s, err)
	}
	if grown > 32<<20 {
		t.Errorf("%d MiB more memory", grown>>20)
	}
	untouched()
}

// A receiver that answers what it was not asked ends the transfer.
func TestHostileReceiver(t *testing.T) {
	dir := t.TempDir()
	for i := range 50 {
		write(t, fmt.Sprint(dir, "/src/", i), noise(1000, byte(i)))
	}
	for _, answer := range []Record{
		{Kind: KindStored, ID: 1 << 40}, {Kind: KindWant, ID: 1}, {Kind: KindHave, ID: 3}, {Kind: KindFile, ID: 1, Name: named("x")}, {Kind: "format"},
	} {
		here, there := io.Pipe()
		sink, out := io.Pipe()
		go io.Copy(io.Discard, sink)
		go there.Write(frame(string(answer.append(nil)), ""))
		_, err := Send(Stream{In: here, Out: out,
			Abort: func() { here.Close(); sink.Close() }}, []Source{{Path: dir + "/src"}},
			Options{Recursive: true}, nil)
		var broken *protocol.Violation
		if !errors.As(err, &broken) {
			t.Errorf("%s: %v", answer.append(nil), err)
		}
	}
}
