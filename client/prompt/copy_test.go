//go:build unix

package prompt_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minissh/client/fakedaemon"
	"minissh/protocol"
	"minissh/protocol/files"
	"minissh/protocol/mux"
)

// sender is a daemon that serves get from its own files, and takes every other line for `cd`.
func sender(asked chan<- []string) func(*mux.Channel) {
	return func(ch *mux.Channel) {
		request := ch.Request()
		if request.Files == nil {
			fakedaemon.Begin(ch, "")
			dir := strings.TrimPrefix(string(request.Command), "cd ")
			ch.End(&protocol.Exit{How: protocol.HowExited, Code: new(int),
				Dir: protocol.Bytes(dir)})
			return
		}
		var names []string
		var list []files.Source
		for _, name := range request.Files.Sources {
			names = append(names, string(name))
			list = append(list, files.Source{Path: string(name)})
		}
		if !request.Files.Recurse {
			names = append(names, "not recursive")
		}
		asked <- names
		fakedaemon.Begin(ch, "")
		files.Send(files.Stream{In: ch.Reader(protocol.TypeStdin),
			Out: ch.Writer(protocol.TypeStdout), Abort: func() { ch.Close(nil) }}, list,
			files.Options{Recursive: true}, nil)
		fakedaemon.Exited(ch, 0)
	}
}

// get takes files of the directory where the lines are, of the home directory and by their whole
// path. What cannot be had makes the line fail, and the prompt goes on.
func TestGet(t *testing.T) {
	there, here := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"one": "1", "two words": "2", "sub/three": "3"} {
		name = filepath.Join(there, name)
		os.MkdirAll(filepath.Dir(name), 0o700)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(here)
	asked := make(chan []string, 8)
	l := newLines(t, sender(asked))
	l.in.WriteString("get -r -- ~/a /home/tester ./\ncd " + there +
		"\nget -r one 'two words' sub\nget\nget none\nget -x one\nget one renamed\nget one sub/\n" +
		"get one sub\n")
	l.in.Close()
	r, _, errs := l.end(t)
	if r.code != 0 || r.err != nil {
		t.Errorf("%+v", r)
	}
	for _, want := range []string{
		"~/a|/home/tester", there + "/one|" + there + "/two words|" + there + "/sub",
		there + "/none|not recursive", there + "/one|not recursive", there + "/one|not recursive",
		there + "/one|not recursive",
	} {
		if got := strings.Join(<-asked, "|"); got != want {
			t.Errorf("asked for %q, not %q", got, want)
		}
	}
	for name, want := range map[string]string{"one": "1", "two words": "2", "sub/three": "3",
		"renamed": "1", "sub/one": "1"} {
		if text, err := os.ReadFile(name); string(text) != want {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	for _, want := range []string{"get takes names; with blanks", "hint: get FILE…", "and not -x",
		`fake: "` + there + `/none": no such file`} {
		if !strings.Contains(errs, want) {
			t.Errorf("lacks %q: %s", want, errs)
		}
	}
	fakedaemon.Plain(t, errs)
}

// A name at home is asked for in the home directory while the lines have not left that, and is
// never looked for here. A link that is lost while files come ends the prompt; a transfer that is
// refused ends its line alone.
func TestGetThatEnds(t *testing.T) {
	t.Chdir(t.TempDir())
	asked := make(chan []string, 8)
	l := newLines(t, func(ch *mux.Channel) {
		request := ch.Request().Files
		asked <- []string{string(request.Sources[0])}
		if len(request.Sources) == 1 {
			ch.Close(&protocol.Reason{Code: protocol.CodeServiceRefused, Message: "no\x1b[m"})
			return
		}
		fakedaemon.Begin(ch, "")
		<-ch.Gone()
	})
	l.in.WriteString("get one\nget one two .\n")
	for range 2 {
		if got := <-asked; got[0] != "/home/tester/one" {
			t.Errorf("asked for %q", got)
		}
	}
	l.daemon.Cut()
	r, _, errs := l.end(t)
	if r.code != 255 || r.err == nil ||
		!strings.Contains(r.err.Error(), "connection to fake was lost") {
		t.Errorf("%d, %v", r.code, r.err)
	}
	if !strings.Contains(errs, `fake: "no\x1b[m"`) {
		t.Error(errs)
	}
	if strings.Contains(errs, "lost") || strings.Contains(errs, "interrupted") {
		t.Errorf("the end is told as that of a line: %s", errs)
	}
}

// put takes what a pattern matches here, and a name as it is if there is a file of that name; ~ is
// the home directory here.
func TestPutNames(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Chdir(t.TempDir())
	for _, name := range []string{"a1", "a2", "b*", "b1", filepath.Join(home, "mine")} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for line, want := range map[string]struct {
		names string
		code  int
	}{
		"put a*":         {"a1 a2", 0},
		"put b*":         {"b*", 0},
		`put "b1"`:       {"b1", 0},
		"put ~/mine a1":  {"mine", 0}, // a1 is its name there
		"put a1 b1 a2":   {"a1 b1 a2", 0},
		"put a1 a2 ./":   {"a1 a2", 0},
		"put none* a1 .": {"a1", 1},
		"put none":       {"", 1},
		`put a1\ a2`:     {"", 1},
		"put 'a1'\\ a2 ": {"", 1},
	} {
		got := make(chan string, 1)
		l := newLines(t, func(ch *mux.Channel) {
			fakedaemon.Begin(ch, "")
			place, err := files.OpenPlace(nil, t.TempDir(), true)
			if err != nil {
				ch.Close(nil)
				return
			}
			defer place.Root.Close()
			var names []string
			files.Receive(ch.Reader(protocol.TypeStdin), ch.Writer(protocol.TypeStdout), place,
				files.Options{}, func(e files.Event) {
					if e.What == files.EventStored {
						names = append(names, e.Name)
					}
				})
			got <- strings.Join(names, " ")
			fakedaemon.Exited(ch, 0)
		})
		l.in.WriteString(line + "\n")
		l.in.Close()
		r, _, _ := l.end(t)
		if names := <-got; names != want.names || r.code != want.code {
			t.Errorf("%s: %q, code %d", line, names, r.code)
		}
	}
}
