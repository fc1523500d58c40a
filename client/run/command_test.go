//go:build unix

package run_test

import (
	"errors"
	"strings"
	"testing"

	"minissh/client/fakedaemon"
	"minissh/client/run"
	"minissh/protocol"
)

// A good command: HELLO, OPEN and EOF come together, the streams are unmixed, the exit code is the
// command's, and there is no message.
func TestCommand(t *testing.T) {
	var asked protocol.Open
	var name string
	f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
		name = g.Hello.User
		// Nothing is sent yet: what the client wants must come by itself (SE3).
		g.Until(protocol.TypeOpen).Decode(&asked)
		if end := g.Next(); end.Type != protocol.TypeEOF {
			return
		}
		g.Welcome()
		g.Say(protocol.TypeOpened, 1, `{"pid":1}`)
		g.Data(protocol.TypeStdout, "out\xff\x1b[31m")
		g.Data(protocol.TypeStderr, "err\x00")
		g.Data(protocol.TypeStdout, "more")
		g.End(`{"how":"exited","code":42}`)
	})
	r := f.Run(t, nil)
	if r.Code != 42 || r.Out != "out\xff\x1b[31mmore" || r.Err != "err\x00" || r.Said != "" {
		t.Errorf("%+v", r)
	}
	if name != "tester" || string(asked.Command) != "a command" || asked.Argv != nil {
		t.Errorf("user %q, %+v", name, asked)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// When our own output cannot be written, that is said.
func TestOutputCannotBeWritten(t *testing.T) {
	f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
		g.Begin()
		g.Data(protocol.TypeStdout, "x")
		g.Until(protocol.TypeGoodbye)
	})
	d, said := f.Dialer(t)
	if code := run.Command(t.Context(), d,
		run.Streams{Stdout: brokenWriter{}, Stderr: brokenWriter{}}, nil); code != 255 ||
		!strings.Contains(said.String(), "no space left") {
		t.Errorf("%d, %s", code, said)
	}
}
