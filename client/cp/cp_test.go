package cp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minissh/client/cp"
	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/protocol"
	"minissh/protocol/files"
	"minissh/protocol/mux"
)

// serve is the service files of a daemon whose home directory is dir.
func serve(dir string) func(*mux.Channel) {
	return func(ch *mux.Channel) {
		ch.IgnoreRequests()
		request := ch.Request().Files
		in, out := ch.Reader(protocol.TypeStdin), ch.Writer(protocol.TypeStdout)
		o := files.Options{Recursive: true, Resume: request.Resume, Preserve: request.Preserve}
		if request.Mode == protocol.FilesGet {
			var list []files.Source
			for _, name := range request.Sources {
				list = append(list, files.Source{Path: filepath.Join(dir, string(name))})
			}
			fakedaemon.Begin(ch, "")
			files.Send(files.Stream{In: in, Out: out, Abort: func() { ch.Close(nil) }}, list, o,
				nil)
		} else {
			place, err := files.OpenPlace(nil, filepath.Join(dir, string(request.Target)),
				request.Folder)
			if err != nil {
				ch.Close(&protocol.Reason{Code: protocol.CodeNoDirectory, Message: err.Error()})
				return
			}
			defer place.Root.Close()
			fakedaemon.Begin(ch, "")
			files.Receive(in, out, place, o, nil)
		}
		fakedaemon.Exited(ch, 0)
	}
}

// copies runs `minissh cp` with a daemon in memory for each host.
func copies(t *testing.T, hosts map[string]func(*mux.Channel), args ...string) (code int, lines,
	said string) {
	t.Helper()
	plan, err := cp.Parse(args)
	if err != nil {
		t.Fatal(err)
	}
	var out, messages bytes.Buffer
	code = cp.Run(t.Context(), plan, func(host string) (*dial.Dialer, error) {
		far := hosts[host]
		if far == nil {
			return nil, errors.New("there is no host " + host)
		}
		m := fakedaemon.NewMemory(t, far)
		m.Dialer.Options.Alias = host
		return m.Dialer, nil
	}, &out, &messages)
	fakedaemon.Plain(t, messages.String())
	return code, out.String(), messages.String()
}

func put(t *testing.T, name, text string) string {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700),
		os.WriteFile(name, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return name
}

func holds(t *testing.T, name, text string) {
	t.Helper()
	if got, err := os.ReadFile(name); string(got) != text || err != nil {
		t.Errorf("%s: %q, %v", filepath.Base(name), got, err)
	}
}

// From here to there, from there to here, and from one machine to another.
func TestCopies(t *testing.T) {
	here, a, b := t.TempDir(), t.TempDir(), t.TempDir()
	put(t, filepath.Join(here, "tree", "sub", "one"), "1")
	put(t, filepath.Join(a, "two"), "22")
	hosts := map[string]func(*mux.Channel){"a": serve(a), "b": serve(b)}
	if code, lines, said := copies(t, hosts, "-r", "--json", filepath.Join(here, "tree"),
		"a:"); code != 0 || said != "" || strings.Count(lines, `"result":"stored"`) != 3 {
		t.Errorf("put: %d, %s, %s", code, lines, said)
	}
	holds(t, filepath.Join(a, "tree", "sub", "one"), "1")
	if code, _, said := copies(t, hosts, "a:two", here); code != 0 || said != "" {
		t.Errorf("get: %d, %s", code, said)
	}
	holds(t, filepath.Join(here, "two"), "22")
	if code, lines, said := copies(t, hosts, "--json", "a:two", "b:"); code != 0 || said != "" ||
		!strings.Contains(lines, `"summary":true,"stored":1`) {
		t.Errorf("between: %d, %s, %s", code, lines, said)
	}
	holds(t, filepath.Join(b, "two"), "22")
}

// A copy that finds everything there counts nothing as copied, folders neither.
func TestCopiesAgain(t *testing.T) {
	here, a := t.TempDir(), t.TempDir()
	put(t, filepath.Join(here, "tree", "sub", "one"), "1")
	hosts := map[string]func(*mux.Channel){"a": serve(a)}
	args := []string{"-rp", "--resume", "--json", filepath.Join(here, "tree"), "a:"}
	for _, want := range []string{`"stored":1,"skipped":0`, `"stored":0,"skipped":1`} {
		if code, lines, said := copies(t, hosts, args...); code != 0 || said != "" ||
			!strings.Contains(lines, `"summary":true,`+want) {
			t.Errorf("%d, %s%s", code, lines, said)
		}
	}
	args = []string{"-rp", "--resume", "--json", "a:tree", here}
	if code, lines, said := copies(t, hosts, args...); code != 0 ||
		!strings.Contains(lines, `"summary":true,"stored":0,"skipped":1`) {
		t.Errorf("back: %d, %s%s", code, lines, said)
	}
}

// What is refused, or missing, ends with 1 and a message; a host that cannot be reached with 255.
func TestCopiesThatFail(t *testing.T) {
	here, a := t.TempDir(), t.TempDir()
	one := put(t, filepath.Join(here, "one"), "1")
	refuses := func(code protocol.Code) func(*mux.Channel) {
		return func(ch *mux.Channel) {
			ch.Close(&protocol.Reason{Code: code, Message: "why\x1b[m"})
		}
	}
	for name, c := range map[string]struct {
		far  func(*mux.Channel)
		args []string
		code int
		said string
	}{
		"this key may not": {refuses(protocol.CodeServiceRefused), []string{one, "a:"}, 1,
			`minissh: a: "why\x1b[m"`},
		"no directory": {refuses(protocol.CodeNoDirectory), []string{one, "a:"}, 1,
			`minissh: a: "why\x1b[m"`},
		"no such service": {refuses(protocol.CodeUnknownService), []string{one, "a:"}, 255,
			"has no service for files"},
		"being stopped": {refuses(protocol.CodeShuttingDown), []string{one, "a:"}, 255,
			"minisshd on a is being stopped"},
		"no such folder":     {serve(a), []string{one, "a:no/such/"}, 1, "mkdir FOLDER makes one"},
		"no such file":       {serve(a), []string{"a:none", here}, 1, "no such file or directory"},
		"no such file here":  {serve(a), []string{filepath.Join(here, "none"), "a:"}, 1, "none"},
		"no such host":       {serve(a), []string{one, "c:"}, 255, "there is no host c"},
		"what was not asked": {sends("evil"), []string{"a:good", here}, 1, "nobody asked for it"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, said := copies(t, map[string]func(*mux.Channel){"a": c.far}, c.args...)
			if code != c.code || !strings.Contains(said, c.said) {
				t.Errorf("%d, %s", code, said)
			}
		})
	}
	if list, _ := os.ReadDir(here); len(list) != 1 {
		t.Errorf("%v is there", list)
	}
}

// sends is a daemon that sends a file of that name, whatever was asked for.
func sends(name string) func(*mux.Channel) {
	return func(ch *mux.Channel) {
		dir, err := os.MkdirTemp("", "")
		if err != nil {
			return
		}
		defer os.RemoveAll(dir)
		os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600)
		fakedaemon.Begin(ch, "")
		stream := files.Stream{In: ch.Reader(protocol.TypeStdin),
			Out: ch.Writer(protocol.TypeStdout), Abort: func() { ch.Close(nil) }}
		files.Send(stream, []files.Source{{Path: filepath.Join(dir, name)}}, files.Options{}, nil)
		fakedaemon.Exited(ch, 0)
	}
}

// A connection that is cut in the middle is reported, with what to type; so is a copy that the user
// ends. Either way an unfinished file does not have its name.
func TestCopiesThatEnd(t *testing.T) {
	for name, end := range map[string]func(*fakedaemon.Memory, context.CancelFunc){
		"cut":         func(m *fakedaemon.Memory, _ context.CancelFunc) { m.Cut() },
		"interrupted": func(_ *fakedaemon.Memory, cancel context.CancelFunc) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			here := t.TempDir()
			begun := make(chan bool, 1)
			m := fakedaemon.NewMemory(t, func(ch *mux.Channel) {
				fakedaemon.Begin(ch, "")
				begun <- true
				<-ch.Gone()
				ch.Close(nil)
			})
			plan, err := cp.Parse([]string{"a:file", here})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			conn := m.Connect(t)
			go func() { <-begun; end(m, cancel) }()
			err = cp.NewCopier(ctx, plan, io.Discard).Get(conn)
			if lost := name == "cut"; err == nil ||
				lost != strings.Contains(err.Error(), "the connection to fake was lost") {
				t.Error(err)
			}
			if list, _ := os.ReadDir(here); len(list) != 0 {
				t.Errorf("%v is there", list)
			}
		})
	}
}
