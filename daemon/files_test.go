//go:build unix

package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"minissh/daemon/access"
	"minissh/protocol"
	"minissh/protocol/files"
	"minissh/protocol/mux"
)

// transfer runs one, with the daemon as one side and a real sender or receiver as the other; where
// is the client's target folder or its sources.
func (l *lab) transfer(s *mux.Session, request *protocol.Files, o files.Options,
	where ...string) (files.Summary, []files.Event, *protocol.Reason) {
	l.t.Helper()
	ch, err := s.Open(&protocol.Open{Service: "files", Files: request})
	if err != nil {
		l.t.Fatal(err)
	}
	in := ch.Reader(protocol.TypeStdout)
	var mu sync.Mutex
	var events []files.Event
	watch := func(e files.Event) { mu.Lock(); defer mu.Unlock(); events = append(events, e) }
	var sum files.Summary
	if request.Mode == protocol.FilesPut {
		var list []files.Source
		for _, path := range where {
			list = append(list, files.Source{Path: path})
		}
		sum, err = files.Send(files.Stream{In: in, Out: ch.Writer(protocol.TypeStdin),
			Abort: func() { ch.Close(nil) }}, list, o, watch)
	} else {
		place, err2 := files.OpenPlace(nil, where[0], true)
		if err2 != nil {
			l.t.Fatal(err2)
		}
		defer place.Root.Close()
		sum, err = files.Receive(in, ch.Writer(protocol.TypeStdin), place, o, watch)
	}
	if err != nil {
		ch.Close(nil)
	}
	if rest := in.Rest(); rest != nil {
		l.t.Fatal(rest)
	}
	ch.Close(nil)
	if in.Reason != nil && in.Reason.Code != "" {
		return sum, events, in.Reason
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return sum, events, nil
}

func failed(events []files.Event) (codes []string) {
	for _, e := range events {
		if e.What == files.EventFailed {
			codes = append(codes, e.Err.Code)
		}
	}
	return codes
}

func put(t testing.TB, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755),
		os.WriteFile(name, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// A key for one folder (FI12): whatever its client asks for, and whatever links are there,
// nothing outside is read or written, in either direction.
func TestKeyForAFolder(t *testing.T) {
	top := real(t, t.TempDir())
	folder, outside := top+"/folder", top+"/outside"
	put(t, folder+"/mine", "mine")
	put(t, outside+"/secret", "secret")
	put(t, top+"/client/mine", "new")
	for name, target := range map[string]string{"/out": outside, "/up": "..",
		"/secret": outside + "/secret"} {
		if err := os.Symlink(target, folder+name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc", top+"/client/link"); err != nil {
		t.Fatal(err)
	}
	l := newLab(t, func(o *Options) {})
	grant := func(mode string) {
		l.access.mu.Lock()
		defer l.access.mu.Unlock()
		for _, g := range l.access.grants {
			g.Folder = &access.Folder{Path: folder, Mode: mode}
		}
	}
	grant("")
	s := l.session(nil)
	defer s.Close(nil)
	for _, source := range []string{"/etc/passwd", outside + "/secret", "../outside/secret",
		"out/secret", "up/outside/secret", "secret", "out", "~root/x", "./../outside", "out/*",
		"*/secret", "/", "..", folder + "/../outside/secret"} {
		got := t.TempDir()
		sum, events, reason := l.transfer(s,
			&protocol.Files{Mode: protocol.FilesGet, Sources: bytesOf(source), Recurse: true},
			files.Options{}, got)
		entries, _ := os.ReadDir(got)
		if sum.Stored != 0 || len(entries) != 0 || reason == nil && len(failed(events)) == 0 {
			t.Errorf("get %s: %+v, %v, %v, %v", source, sum, entries, failed(events), reason)
		}
	}
	for _, target := range []string{"/etc", outside, "../outside", "out", "up", "out/x", "up/x",
		"~root", folder + "/../outside", "/", outside + "/new", "out/new", "../outside/new",
		"up/new"} {
		for _, make := range []bool{false, true} {
			_, events, reason := l.transfer(s,
				&protocol.Files{Mode: protocol.FilesPut, Target: protocol.Bytes(target),
					Make: make}, files.Options{}, top+"/client/mine")
			if reason == nil {
				t.Errorf("put to %s: %v", target, failed(events))
			}
		}
	}
	// What is allowed works, by relative and absolute names; a link that leads out is neither taken
	// nor followed.
	for _, target := range []string{"", ".", "~", folder, folder + "/."} {
		sum, events, reason := l.transfer(s,
			&protocol.Files{Mode: protocol.FilesPut, Target: protocol.Bytes(target)},
			files.Options{Recursive: true}, top+"/client")
		if codes := strings.Join(failed(events), " "); reason != nil || sum.Stored != 2 ||
			codes != files.CodeOutside {
			t.Errorf("put to %q: %+v %s %v", target, sum, codes, reason)
		}
	}
	for _, source := range []string{"mine", folder + "/mine", "./mine", "~/mine", "m*"} {
		got := t.TempDir()
		if sum, events, reason := l.transfer(s,
			&protocol.Files{Mode: protocol.FilesGet,
				Sources: bytesOf(source)}, files.Options{}, got); reason != nil || sum.Stored != 1 {
			t.Errorf("get %s: %+v %v %v", source, sum, failed(events), reason)
		}
	}
	sum, events, _ := l.transfer(s,
		&protocol.Files{Mode: protocol.FilesGet, Sources: bytesOf("m*", "[mos]*"), Single: true},
		files.Options{}, t.TempDir())
	if codes := strings.Join(failed(events), " "); sum.Stored != 1 || codes != files.CodeExists {
		t.Errorf("patterns, of which one means several: %+v %s", sum, codes)
	}
	for mode, open := range map[string]string{"ro": protocol.FilesGet, "wo": protocol.FilesPut} {
		grant(mode)
		for request, where := range map[*protocol.Files]string{
			{Mode: protocol.FilesGet, Sources: bytesOf("mine")}: t.TempDir(),
			{Mode: protocol.FilesPut}:                           top + "/client/mine"} {
			s := l.session(nil)
			_, _, reason := l.transfer(s, request, files.Options{}, where)
			s.Close(nil)
			if (reason == nil) != (request.Mode == open) || reason != nil &&
				reason.Code != protocol.CodeServiceRefused {
				t.Errorf("%s, %s: %v", mode, request.Mode, reason)
			}
		}
	}
	if text, _ := os.ReadFile(outside + "/secret"); string(text) != "secret" {
		t.Errorf("the secret is %q", text)
	}
	if entries, _ := os.ReadDir(outside); len(entries) != 1 {
		t.Errorf("outside are %v", entries)
	}
}

// A client that breaks the rules of the stream loses its channel and no more; one that leaves,
// leaves nothing running.
func TestFilesStreamBroken(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	s := l.session(nil)
	ch, err := s.Open(&protocol.Open{
		Service: "files", Files: &protocol.Files{Mode: protocol.FilesPut}})
	if err != nil {
		t.Fatal(err)
	}
	ch.Write(protocol.TypeStdin, []byte("\x00\x00\x00\x0f{\"kind\":\"bad\"}\n"))
	in := ch.Reader(protocol.TypeStdout)
	if err := in.Rest(); err != nil || in.Reason == nil ||
		in.Reason.Code != protocol.CodeBadRecord {
		t.Errorf("%v %+v", err, in.Reason)
	}
	ch.Close(nil)
	ch, err = s.Open(&protocol.Open{
		Service: "files", Files: &protocol.Files{Mode: protocol.FilesPut}})
	if err != nil {
		t.Fatal(err)
	}
	ch.Write(protocol.TypeStdin, []byte("\x00\x00\x00"))
	l.log.want(t, "Starting transfer", "channel=3")
	s.Close(nil)
	l.log.want(t, "Transfer broken off", "channel=3")
	settle(t, before)
}

// A client that ends its stream of records before the last one breaks the rules of the stream,
// whichever way the files go (FI13).
func TestFilesStreamEndsEarly(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	for _, request := range []*protocol.Files{
		{Mode: protocol.FilesPut}, {Mode: protocol.FilesGet, Sources: []protocol.Bytes{protocol.Bytes("/dev/null")}},
	} {
		ch, err := s.Open(&protocol.Open{Service: "files", Files: request})
		if err != nil {
			t.Fatal(err)
		}
		ch.EOF(protocol.TypeStdin)
		in := ch.Reader(protocol.TypeStdout)
		if err := in.Rest(); err != nil || in.Reason == nil ||
			in.Reason.Code != protocol.CodeBadRecord {
			t.Errorf("%s: %v %+v", request.Mode, err, in.Reason)
		}
		ch.Close(nil)
	}
}

// A client that cancels a transfer is told that it was cancelled, by EXIT, whichever way the files
// go: it broke no rule (CH9).
func TestFilesCancelled(t *testing.T) {
	l := newLab(t, nil)
	put(t, l.home+"/large", strings.Repeat("x", 1<<20)) // more than there is credit for
	s := l.session(nil)
	defer s.Close(nil)
	for _, request := range []*protocol.Files{
		{Mode: protocol.FilesPut}, {Mode: protocol.FilesGet, Sources: bytesOf("large")},
	} {
		ch, err := s.Open(&protocol.Open{Service: "files", Files: request})
		if err != nil {
			t.Fatal(err)
		}
		if request.Mode == protocol.FilesPut {
			ch.Write(protocol.TypeStdin, []byte("\x00\x00"))
		}
		if e := <-ch.Requests(); e.Type != protocol.TypeOpened {
			t.Fatal(e)
		}
		ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
		in := ch.Reader(protocol.TypeStdout)
		if err := in.Rest(); err != nil || in.Exit == nil || in.Exit.How != protocol.HowCancelled ||
			in.Reason == nil || in.Reason.Code != "" {
			t.Errorf("%s: %v %+v %+v", request.Mode, err, in.Exit, in.Reason)
		}
		l.log.want(t, "Transfer broken off", fmt.Sprintf("channel=%d", ch.ID()), "how=cancelled")
	}
}
