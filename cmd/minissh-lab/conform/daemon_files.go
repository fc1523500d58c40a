package conform

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"minissh/protocol"
	"minissh/protocol/files"
	"minissh/protocol/vectors"
)

// fileVectors are the conversations of files.txt, with the daemon at one end.
func fileVectors() []Probe {
	var all []Probe
	for _, v := range vectors.Read("files.txt") {
		run := func(t *trial) { receiverVector(t, v) }
		if v.Text("role") == "sender" {
			run = func(t *trial) { senderVector(t, v) }
		}
		all = append(all, vectorProbe("files", v, run))
	}
	return all
}

// fileProbes are of whole copies.
var fileProbes = []Probe{
	{Rule: "FI1", Name: "refusals", What: tx("不能开始的请求", "requests that cannot begin"),
		run: func(t *trial) {
			k := t.login(nil)
			dir := t.folder()
			k.openFiles(&protocol.Files{Mode: "put", Target: protocol.Bytes(dir)}) // or not reached
			for _, c := range []struct {
				files *protocol.Files
				code  protocol.Code
			}{
				{&protocol.Files{Mode: "both"}, protocol.CodeBadRequest},
				{&protocol.Files{Mode: "get"}, protocol.CodeBadRequest},
				{&protocol.Files{Mode: "put", Sources: []protocol.Bytes{[]byte("a")}},
					protocol.CodeBadRequest},
				{&protocol.Files{Mode: "put", Folder: true,
					Target: protocol.Bytes(dir + "/none/here")},
					protocol.CodeNoDirectory},
			} {
				k.refused(&protocol.Open{Service: "files", Files: c.files}, c.code)
			}
		}},
	{Rule: "FI2", Name: "new-name",
		What: tx("目标不是文件夹：那是新名字", "a target that is not a folder is the new name"),
		run: func(t *trial) {
			dir := t.folder()
			t.puts(&protocol.Files{Mode: "put", Target: protocol.Bytes(dir + "/new")},
				whole("old", "content"))
			t.holds(dir+"/new", "content")
		}},
	{Rule: "FI7", Name: "replaces",
		What: tx("换掉文件，不改写：硬链接还是旧内容",
			"a file is replaced, never written over: a hard link keeps the old content"),
		run: func(t *trial) {
			dir := t.folder()
			t.must(os.WriteFile(dir+"/a", []byte("old"), 0o600))
			t.must(os.Link(dir+"/a", dir+"/other"))
			t.puts(&protocol.Files{Mode: "put", Target: protocol.Bytes(dir), Folder: true},
				whole("a", "new"))
			t.holds(dir+"/a", "new")
			t.holds(dir+"/other", "old")
		}},
	{Rule: "FI9", Name: "never-half",
		What: tx("文件传到一半断了：没有叫这个名字的文件",
			"broken off within a file: nothing appears under its name"), run: func(t *trial) {
			dir := t.folder()
			k := t.login(nil)
			channel := k.openFiles(&protocol.Files{Mode: "put", Target: protocol.Bytes(dir),
				Folder: true})
			k.send(frame(protocol.TypeStdin, channel,
				record(files.Record{Kind: files.KindFile, ID: 1,
					Name: protocol.Bytes("a"), Size: 1000, Mode: 0o600, Body: 10}, "0123456789")))
			k.sync(nil)
			k.send(frame(protocol.TypeClose, channel, "{}"))
			k.expect(protocol.TypeClose, channel)
			if _, err := os.Lstat(dir + "/a"); err == nil {
				t.fail(tx("没有 a", "no a"), tx("有半个 a", "half of it is there as a"))
			}
		}},
	{Rule: "FI11", Name: "pipe",
		What: tx("命名管道：not_copied，谁也不等", "a named pipe: not_copied, and nobody waits"),
		run: func(t *trial) {
			dir := t.folder()
			if err := makePipe(dir + "/p"); err != nil {
				t.unreached(same(err.Error()))
			}
			t.must(os.WriteFile(dir+"/z", []byte("z"), 0o600))
			recs := t.gets(&protocol.Files{Mode: "get", Recurse: true,
				Sources: []protocol.Bytes{[]byte(dir)}})
			for _, r := range recs {
				if r.Kind == files.KindFault && r.Code == "not_copied" {
					return
				}
			}
			t.fail(same("fault not_copied"), same(kinds(recs)))
		}},
	{Rule: "FI8", Name: "digest",
		What: tx("get：摘要是内容的 SHA-256", "get: the digest is the content's SHA-256"),
		run: func(t *trial) {
			dir := t.folder()
			content := strings.Repeat("minissh 中文\n", 40_000)
			t.must(os.WriteFile(dir+"/big", []byte(content), 0o640))
			recs := t.gets(&protocol.Files{Mode: "get",
				Sources: []protocol.Bytes{[]byte(dir + "/big")}})
			digest, body := "", ""
			for _, r := range recs {
				body += r.body
				if r.Digest != "" {
					digest = r.Digest
				}
			}
			if body != content || digest != digestOf(content) {
				t.fail(tx("原样的内容和它的摘要", "the content as it is, and its digest"),
					same(fmt.Sprintf("%d bytes, %s", len(body), digest)))
			}
		}},
}

// folder is a new folder, removed at the end. Who is elsewhere cannot look into it.
func (t *trial) folder() string {
	if t.unix == "" && !strings.HasPrefix(t.o.Address, "unix:") {
		t.unreached(tx("守护进程可能在别的机器上", "the daemon may be on another machine"))
	}
	dir, err := os.MkdirTemp("", "minissh-lab-conform-")
	t.must(err)
	t.clean = append(t.clean, func() { os.RemoveAll(dir) })
	dir, err = filepath.EvalSymlinks(dir)
	t.must(err)
	return dir
}

// must ends a trial for what is wrong here, and not with the program under test.
func (t *trial) must(err error) {
	if err != nil {
		t.unreached(same(err.Error()))
	}
}

// openFiles opens a copy; a daemon that has no such service cannot be tried.
func (k *talk) openFiles(f *protocol.Files) uint32 {
	channel := k.open(&protocol.Open{Service: "files", Files: f})
	answer := k.until(same("OPENED"), func(f protocol.Frame) bool {
		return f.Channel == channel &&
			(f.Type == protocol.TypeOpened || f.Type == protocol.TypeClose)
	})
	if answer.Type == protocol.TypeClose {
		var reason protocol.Reason
		answer.Decode(&reason)
		if reason.Code == protocol.CodeUnknownService ||
			reason.Code == protocol.CodeServiceRefused {
			k.t.unreached(tx("这个守护进程没有服务 files", "this daemon has no service files"))
		}
		k.t.fail(same("OPENED"), same(shown(answer)))
	}
	return channel
}

// record is a record as bytes.
func record(r files.Record, body string) string {
	var out bytes.Buffer
	w := files.NewWriter(&out)
	if err := w.Write(&r, []byte(body)); err != nil {
		panic(err) // our own words
	}
	w.Flush() // to memory
	return out.String()
}

// whole is a file in one record, and the end of everything.
func whole(name, content string) string {
	return record(files.Record{Kind: files.KindFile, ID: 1, Name: protocol.Bytes(name),
		Size: int64(len(content)), Mode: 0o644, Mtime: 1_700_000_000, Body: int64(len(content)),
		Digest: digestOf(content)}, content) + record(files.Record{Kind: files.KindDone}, "")
}

// puts sends records, and takes the copy's good end.
func (t *trial) puts(f *protocol.Files, records string) {
	k := t.login(nil)
	channel := k.openFiles(f)
	k.send(frame(protocol.TypeStdin, channel, records), frame(protocol.TypeEOF, channel, "\x10"))
	e := k.finish(channel)
	if e.exit == nil || e.exit.Code == nil || *e.exit.Code != 0 {
		t.fail(tx("EXIT，退出码 0", "EXIT, status 0"), same(exitOr(e)))
	}
}

// holds wants a file's content.
func (t *trial) holds(path, content string) {
	got, err := os.ReadFile(path)
	if err != nil || string(got) != content {
		t.fail(same(fmt.Sprintf("%s: %q", filepath.Base(path), content)),
			same(fmt.Sprintf("%.60q %v", got, err)))
	}
}

// said is a record that came, with its body.
type said struct {
	files.Record
	body string
}

func kinds(all []said) string {
	var names []string
	for _, r := range all {
		names = append(names, string(r.Kind)+" "+r.Code)
	}
	return strings.Join(names, ", ")
}

// gets takes all that a daemon sends, and answers done.
func (t *trial) gets(f *protocol.Files) []said {
	k := t.login(nil)
	channel := k.openFiles(f)
	done := record(files.Record{Kind: files.KindDone}, "")
	k.send(frame(protocol.TypeStdin, channel,
		record(files.Record{Kind: files.KindStored, ID: 0}, "")))
	var out []byte
	k.until(tx("done", "done"), func(f protocol.Frame) bool {
		if f.Type == protocol.TypeStdout {
			out = append(out, f.Payload...)
			k.grant(channel, uint64(len(out))+startWindow)
		}
		return bytes.HasSuffix(out, []byte(done)) || f.Type == protocol.TypeClose
	})
	k.send(frame(protocol.TypeStdin, channel, done), frame(protocol.TypeEOF, channel, "\x10"))
	k.finish(channel)
	return t.records(out)
}

// records reads a stream of records to its end.
func (t *trial) records(stream []byte) (all []said) {
	r := files.NewReader(bytes.NewReader(stream))
	for {
		var rec files.Record
		if err := r.Next(&rec); err == io.EOF {
			return all
		} else if err != nil {
			t.broke("FI3", tx("符合规范的记录", "records that keep the rules"), same(err.Error()))
		}
		body := make([]byte, rec.Body)
		n, err := r.Body(body)
		if err != nil {
			t.broke("FI3", tx("记录的全部内容", "all of a record's body"), same(err.Error()))
		}
		all = append(all, said{rec, string(body[:n])})
	}
}

// receiverVector puts what a vector says into an empty folder.
func receiverVector(t *trial, v vectors.Vector) {
	dir := t.folder()
	k := t.login(nil)
	channel := k.openFiles(&protocol.Files{Mode: "put", Target: protocol.Bytes(dir), Folder: true})
	k.inPieces(channel, v.Bytes("hex"))
	k.send(frame(protocol.TypeEOF, channel, "\x10"))
	e := k.finish(channel)
	if v.Text("error") == "bad_record" {
		if e.closed.Code != protocol.CodeBadRecord {
			t.fail(same("CLOSE bad_record"), same(exitOr(e)))
		}
	} else if v.Text("error") == "none" {
		var got []string
		for _, r := range t.records(e.out) {
			if r.Kind == files.KindStored {
				continue
			}
			r.Message, r.Files, r.Bytes = "", 0, 0
			got = append(got, record(r.Record, "")[4:])
		}
		if want := v.All("answer"); !slices.Equal(got, want) {
			t.fail(same(strings.Join(want, " ")), same(strings.Join(got, " ")))
		}
	}
	found := map[string][]string{}
	t.must(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, kind := strings.TrimPrefix(path, dir+"/"), "file"
		switch {
		case err != nil || path == dir:
			return err
		case strings.HasPrefix(d.Name(), ".minissh-") && strings.HasSuffix(name, ".part"):
			kind = "part"
		case d.IsDir():
			kind = "dir"
		case d.Type()&os.ModeSymlink != 0:
			kind = "link"
		}
		found[kind] = append(found[kind], name)
		return nil
	}))
	for _, kind := range []string{"file", "link", "dir"} {
		if !slices.Equal(found[kind], v.All(kind)) {
			t.fail(same(fmt.Sprintf("%s: %q", kind, v.All(kind))),
				same(fmt.Sprintf("%q", found[kind])))
		}
	}
}

// inPieces sends a stream as STDIN.
func (k *talk) inPieces(channel uint32, stream []byte) {
	for len(stream) > 0 {
		n := min(len(stream), maxPayload)
		k.send(protocol.AppendFrame(nil, protocol.TypeStdin, 0, channel, stream[:n]))
		stream = stream[n:]
	}
}

// senderVector gets two files of one byte, and answers as the vector says.
func senderVector(t *trial, v vectors.Vector) {
	dir := t.folder()
	t.must(os.WriteFile(dir+"/a", []byte("x"), 0o600))
	t.must(os.WriteFile(dir+"/b", []byte("x"), 0o600))
	k := t.login(nil)
	channel := k.openFiles(&protocol.Files{Mode: "get", Recurse: true, Resume: v.Has("resume"),
		Sources: []protocol.Bytes{[]byte(dir + "/.")}})
	var out []byte
	k.until(tx("两个文件，或者两个 offer", "two files, or two offers"),
		func(f protocol.Frame) bool {
			if f.Type == protocol.TypeStdout {
				out = append(out, f.Payload...)
			}
			return bytes.Contains(out, []byte(`"kind":"done"`)) ||
				bytes.Count(out, []byte(`"kind":"offer"`)) == 2
		})
	k.inPieces(channel, v.Bytes("hex"))
	k.send(frame(protocol.TypeEOF, channel, "\x10"))
	e := k.finish(channel)
	bad := e.closed.Code == protocol.CodeBadRecord
	if want := v.Text("error"); want == "bad_record" && !bad || want == "none" && bad {
		t.fail(same("error: "+want), same(exitOr(e)))
	}
}

func digestOf(content string) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(content)))
}
