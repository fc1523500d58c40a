package conform

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"minissh/protocol"
	"minissh/protocol/files"
)

// clientFileProbes are of a client's copies: it sends to a daemon of ours, and takes from it.
var clientFileProbes = []Probe{
	{Rule: "FI1", Name: "put-asks", What: tx("put：OPEN 要的就是那个目标，没有 sources",
		"put: an OPEN of that target, without sources"), run: func(t *trial) {
		dir := t.scratch(map[string]string{"a.txt": "hello\n"})
		g := t.putting(dir+"/a.txt", "there/new.txt")
		if f := g.order.open.Files; string(f.Target) != "there/new.txt" || len(f.Sources) > 0 {
			t.fail(same("target there/new.txt"), same(fmt.Sprintf("%q, %q", f.Target, f.Sources)))
		}
	}},
	{Rule: "FI1", Name: "get-asks", What: tx("get：OPEN 的 sources 就是那一个",
		"get: an OPEN of that source"), run: func(t *trial) {
		g := t.getting("there/a.txt", t.scratch(nil)+"/a.txt")
		if f := g.order.open.Files; len(f.Sources) != 1 || string(f.Sources[0]) != "there/a.txt" ||
			len(f.Target) > 0 {
			t.fail(same("sources there/a.txt"), same(fmt.Sprintf("%q, %q", f.Sources, f.Target)))
		}
	}},
	{Rule: "FI3", Name: "put-large", What: tx("put：大文件的记录都在范围内，内容完整",
		"put: the records of a large file are within their bounds, and it is whole"),
		run: func(t *trial) {
			content := strings.Repeat("minissh 中文\n", 60_000)
			dir := t.scratch(map[string]string{"big": content})
			g := t.putting(dir+"/big", "big")
			recs := g.takesRecords()
			body, digest := "", ""
			for _, r := range recs {
				body += r.body
				if digest == "" {
					digest = r.Digest
				}
			}
			if body != content || recs[0].Kind != files.KindFile ||
				recs[0].Size != int64(len(content)) {
				t.fail(same(fmt.Sprintf("file, %d bytes", len(content))),
					same(fmt.Sprintf("%s, %d bytes", kinds(recs), len(body))))
			}
			if digest != digestOf(content) {
				t.broke("FI8", same(digestOf(content)), same(digest))
			}
			g.stored(recs)
			g.d.exits(0, "")
		}},
	{Rule: "FI4", Name: "put-folder",
		What: tx("put 一个文件夹：dir 在前，id 越来越大，链接就是链接",
			"put of a folder: it comes before what is in it, ids rise, a link is a link"),
		run: putFolder},
	{Rule: "FI5", Name: "error", What: tx("我们说 error：不算成功", "our error does not count as "+
		"success"), run: func(t *trial) {
		dir := t.scratch(map[string]string{"a.txt": "hello\n"})
		g := t.putting(dir+"/a.txt", "a.txt")
		g.takesRecords()
		g.stdout(record(files.Record{Kind: files.KindError, ID: 1, Code: "no_permission",
			Message: "not here"}, "") + record(files.Record{Kind: files.KindDone}, ""))
		g.ends(`{"how":"exited","code":1}`)
		g.d.fails()
	}},
	{Rule: "FI5", Name: "no-done", What: tx("没有我们的 done：不算成功，哪怕 EXIT 说 0",
		"without our done it is not success, whatever EXIT says"), run: func(t *trial) {
		dir := t.scratch(map[string]string{"a.txt": "hello\n"})
		g := t.putting(dir+"/a.txt", "a.txt")
		g.takesRecords()
		g.ends(`{"how":"exited","code":0}`)
		g.d.fails()
	}},
	{Rule: "FI11", Name: "pipe", What: tx("put 一个有命名管道的文件夹：not_copied，谁也不等",
		"put of a folder with a named pipe: not_copied, and nobody waits"), run: func(t *trial) {
		dir := t.scratch(map[string]string{"d/a": "hello\n"})
		if err := makePipe(dir + "/d/p"); err != nil {
			t.unreached(same(err.Error()))
		}
		recs := t.putting(dir+"/d", "d").takesRecords()
		if !slices.ContainsFunc(recs, func(r said) bool {
			return r.Kind == files.KindFault && r.Code == "not_copied"
		}) {
			t.fail(same("fault not_copied"), same(kinds(recs)))
		}
	}},
	{Rule: "FI2", Name: "get-new-name", What: tx("get：目标不是文件夹：那是新名字",
		"get: a target that is not a folder is the new name"), run: func(t *trial) {
		dir := t.scratch(nil)
		g := t.getting("there/a.txt", dir+"/new")
		g.sends(whole("a.txt", "content"), 0)
		g.d.exits(0, "")
		t.holds(dir+"/new", "content")
	}},
	{Rule: "FI7", Name: "get-replaces", What: tx("get：换掉文件，不改写：硬链接还是旧内容",
		"get: a file is replaced, never written over"), run: func(t *trial) {
		dir := t.scratch(map[string]string{"a.txt": "old"})
		t.must(os.Link(dir+"/a.txt", dir+"/other"))
		g := t.getting("a.txt", dir+"/a.txt")
		g.sends(whole("a.txt", "new"), 0)
		g.d.exits(0, "")
		t.holds(dir+"/a.txt", "new")
		t.holds(dir+"/other", "old")
	}},
	{Rule: "FI6", Name: "hostile-names", What: tx("get：往外跑的名字，没要的名字：都不要",
		"get: names that lead out, and what was not asked for, are refused"), run: hostileNames},
	{Rule: "FI6", Name: "through-a-link", What: tx("get：穿过链接往外写：不写",
		"get: nothing is written through a link that leads out"), run: throughALink},
	{Rule: "FI8", Name: "get-digest", What: tx("get：摘要不对：没有这个文件，不算成功",
		"get: a wrong digest: no such file, and no success"), run: func(t *trial) {
		dir := t.scratch(nil)
		g := t.getting("a.txt", dir+"/a.txt")
		text := strings.Replace(whole("a.txt", "hello"), digestOf("hello"), digestOf("other"), 1)
		recs := g.sends(text, 1)
		g.d.fails()
		t.isEmpty(dir)
		if !slices.ContainsFunc(recs, func(r said) bool {
			return r.Kind == files.KindError && r.Code == "digest"
		}) {
			t.fail(same("error digest"), same(kinds(recs)))
		}
	}},
	{Rule: "FI9", Name: "get-half", What: tx("get：到一半断了：没有叫这个名字的文件",
		"get: broken off within a file: nothing appears under its name"), run: func(t *trial) {
		dir := t.scratch(nil)
		g := t.getting("a.txt", dir+"/a.txt")
		g.stdout(record(files.Record{Kind: files.KindFile, ID: 1, Name: protocol.Bytes("a.txt"),
			Size: 1000, Mode: 0o600, Body: 10}, "0123456789"))
		g.sync()
		g.ends(`{"how":"exited","code":0}`)
		g.d.fails()
		t.isEmpty(dir)
	}},
	{Rule: "FI13", Name: "bad-records", What: tx("get：违规的记录：不算成功",
		"get: records that break a rule do not count as success"), run: badRecords},
}

// scratch is a folder with these files.
func (t *trial) scratch(contents map[string]string) string {
	dir, err := os.MkdirTemp("", "minissh-lab-conform-")
	t.must(err)
	t.clean = append(t.clean, func() { os.RemoveAll(dir) })
	for name, text := range contents {
		path := filepath.Join(dir, name)
		t.must(os.MkdirAll(filepath.Dir(path), 0o755))
		t.must(os.WriteFile(path, []byte(text), 0o644))
	}
	return dir
}

// putting is a client that is to send local, up to OPENED.
func (t *trial) putting(local, remote string) *guest {
	return t.copying(t.o.Put, "put", local, remote)
}

// getting is a client that is to take remote, up to OPENED.
func (t *trial) getting(remote, local string) *guest {
	return t.copying(t.o.Get, "get", local, remote)
}

func (t *trial) copying(words []string, mode, local, remote string) *guest {
	if len(words) == 0 {
		t.unreached(tx("要知道怎么叫它复制文件：--put、--get",
			"it needs to know how it is asked for copies: --put and --get"))
	}
	h := t.startClient(true, words, [2]string{"{local}", local}, [2]string{"{remote}", remote})
	h.program.types("", true)
	g := h.accept()
	o := g.begin()
	if o.Service != "files" || o.Files == nil || o.Files.Mode != mode {
		t.broke("FI1", same("files "+mode), same(fmt.Sprintf("%.40q, %+v", o.Service, o.Files)))
	}
	return g
}

// takesRecords takes what the client sends as a sender, up to its done.
func (g *guest) takesRecords() []said {
	var stream []byte
	var all []said
	g.until(tx("记录，最后是 done", "records, and at last done"), func(f protocol.Frame) bool {
		if f.Type == protocol.TypeStdin {
			stream = append(stream, f.Payload...)
			g.credit(len(stream))
		}
		if len(stream) > maxOutput {
			g.t.fail(same("done"), tx("没完没了", "records without an end"))
		}
		all = g.t.records(stream[:wholeRecords(stream)])
		return len(all) > 0 && all[len(all)-1].Kind == files.KindDone
	})
	return all
}

// credit grants STDIN, once half of the window is used.
func (g *guest) credit(got int) {
	if total := uint64(got) + startWindow; total >= g.order.granted+startWindow/2 {
		g.send(protocol.AppendNumber(nil, protocol.TypeWindow, g.order.channel, total))
	}
}

// wholeRecords is where the last whole record of a stream ends.
func wholeRecords(stream []byte) (end int) {
	for rest := stream; len(rest) >= 4; rest = stream[end:] {
		n := int(binary.BigEndian.Uint32(rest))
		if n > len(rest)-4 {
			return end
		}
		var header struct{ Body int }
		if json.Unmarshal(rest[4:4+n], &header) != nil || header.Body < 0 {
			return len(stream) // the reader says what is wrong
		}
		if header.Body > len(rest)-4-n {
			return end
		}
		end += 4 + n + header.Body
	}
	return end
}

// stored answers that all is in place, and ends.
func (g *guest) stored(recs []said) {
	var last, entries, size int64
	for _, r := range recs {
		if r.ID > 0 {
			last, entries = r.ID, entries+1
		}
		size += r.Body
	}
	g.stdout(record(files.Record{Kind: files.KindStored, ID: last}, "") +
		record(files.Record{Kind: files.KindDone, Files: entries, Bytes: size}, ""))
	if !g.order.ended {
		g.expect(protocol.TypeEOF) // after its own done (FI5)
	}
	g.ends(`{"how":"exited","code":0}`)
}

// sends gives a client records, the last of them done, and takes its answers up to its own done.
func (g *guest) sends(records string, code int) []said {
	g.stdout(records)
	recs := g.takesRecords()
	g.ends(fmt.Sprintf(`{"how":"exited","code":%d}`, code))
	return recs
}

// isEmpty wants nothing in a folder but what a receiver keeps of a file under way (FI9).
func (t *trial) isEmpty(dir string) {
	entries, err := os.ReadDir(dir)
	t.must(err)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".minissh-") {
			t.fail(tx("那里什么也没有", "nothing is there"), same(fmt.Sprintf("%q", e.Name())))
		}
	}
}

func putFolder(t *trial) {
	dir := t.scratch(map[string]string{"d/a": "one\n", "d/sub/b": "two\n"})
	t.must(os.Symlink("a", dir+"/d/l"))
	g := t.putting(dir+"/d", "d")
	recs := g.takesRecords()
	seen := map[string]files.Kind{}
	last := int64(0)
	for _, r := range recs {
		if r.ID == 0 {
			continue // total, data, end, done
		}
		if r.ID <= last {
			t.fail(tx("id 越来越大", "ids that rise"), same(fmt.Sprintf("%d after %d", r.ID, last)))
		}
		last = r.ID
		name := string(r.Name)
		if up := filepath.Dir(name); up != "." && seen[up] != files.KindDir {
			t.fail(tx("文件夹在里面的东西之前", "a folder ahead of what is in it"),
				same(fmt.Sprintf("%q", name)))
		}
		seen[name] = r.Kind
	}
	for name, kind := range map[string]files.Kind{"d": files.KindDir, "d/a": files.KindFile,
		"d/sub": files.KindDir, "d/sub/b": files.KindFile, "d/l": files.KindLink} {
		if seen[name] != kind {
			t.fail(same(fmt.Sprintf("%s: %s", kind, name)), same(fmt.Sprint(seen)))
		}
	}
	g.stored(recs)
	g.d.exits(0, "")
}

func hostileNames(t *trial) {
	for _, name := range []string{"../evil", "/tmp/minissh-lab-conform-evil", "a/../../evil",
		"evil", "./evil", "a.txt/../evil"} {
		top := t.scratch(map[string]string{"in/keep": ""})
		g := t.getting("a.txt", top+"/in")
		g.sends(whole(name, "evil"), 1)
		g.d.fails()
		for _, path := range []string{top + "/evil", top + "/in/evil",
			"/tmp/minissh-lab-conform-evil"} {
			if _, err := os.Lstat(path); err == nil {
				os.Remove(path)
				t.fail(tx(fmt.Sprintf("%q 不要", name), fmt.Sprintf("%q is refused", name)),
					tx("它写了", "it was written"))
			}
		}
	}
}

func throughALink(t *trial) {
	top := t.scratch(map[string]string{"in/keep": "", "out/keep": ""})
	g := t.getting("d", top+"/in")
	done := record(files.Record{Kind: files.KindDone}, "")
	file := strings.TrimSuffix(whole("d/l/evil", "evil"), done)
	file = strings.Replace(file, `"id":1`, `"id":3`, 1)
	g.sends(record(files.Record{Kind: files.KindDir, ID: 1, Name: protocol.Bytes("d"),
		Mode: 0o755}, "")+record(files.Record{Kind: files.KindLink, ID: 2,
		Name: protocol.Bytes("d/l"), Target: protocol.Bytes("../../out")}, "")+file+done, 1)
	g.d.fails()
	if _, err := os.Lstat(top + "/out/evil"); err == nil {
		t.fail(tx("外面什么也没写", "nothing is written outside"), tx("写了", "it was"))
	}
}

// badRecords breaks the stream's rules, each with a client of its own.
func badRecords(t *trial) {
	for _, text := range []string{
		"\x00\x00\x00\x01{", "\x00\x00\x40\x01" + strings.Repeat("x", 0x4001),
		"\x00\x00\x00\x05{\"a\":", "\x00\x00\x00\x12{\"kind\":\"quantum\"}",
		record(files.Record{Kind: files.KindData, Body: 1}, "x"),
		whole("a.txt", "one")[:len(whole("a.txt", "one"))-19] + whole("a.txt", "one"),
	} {
		dir := t.scratch(nil)
		g := t.getting("a.txt", dir+"/a.txt")
		g.stdout(text)
		g.until(same("CLOSE"), func(f protocol.Frame) bool { return f.Type == protocol.TypeClose })
		g.send(frame(protocol.TypeClose, g.order.channel, `{"code":"cancelled"}`))
		g.d.fails()
	}
}
