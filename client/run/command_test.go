//go:build unix

package run_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/report"
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

// A long command follows the request, ahead of the input, and one that is too long is not sent.
func TestLongCommand(t *testing.T) {
	for _, size := range []int{8 << 10, 8<<10 + 1, 1 << 20, 1<<20 + 1} {
		command := strings.Repeat("\xff", size)
		var got string
		f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
			var asked protocol.Open
			g.Until(protocol.TypeOpen).Decode(&asked)
			g.Welcome()
			g.Say(protocol.TypeOpened, 1, `{"pid":1}`)
			g.Say(protocol.TypeWindow, 1, "\x00\x00\x00\x00\x7f\xff\xff\xff")
			for f := g.Next(); f.Type != protocol.TypeEOF; f = g.Next() {
				if f.Type == protocol.TypeStdin {
					got += string(f.Payload)
				}
			}
			got = string(asked.Command) + got
			if asked.Length > 0 != (size > 8<<10) {
				t.Errorf("length %d for %d", asked.Length, size)
			}
			g.End(`{"how":"exited","code":0}`)
		})
		d, said := f.Dialer(t)
		d.Options.Command = []string{command}
		code := run.Command(t.Context(), d, run.Streams{Stdin: strings.NewReader("input"),
			Stdout: io.Discard, Stderr: io.Discard}, nil)
		if size > 1<<20 {
			if code != 255 || !strings.Contains(said.String(), "the command has 1048577 bytes") {
				t.Errorf("%d: %d, %s", size, code, said)
			}
		} else if code != 0 || got != command+"input" {
			t.Errorf("%d: %d, %d bytes, %s", size, code, len(got), said)
		}
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

// A link that is lost right after output_held: the outcome is known, and said (EX5), however soon
// the end comes after the notice.
func TestHeldOutputThatIsLost(t *testing.T) {
	f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
		g.Begin()
		g.Say(protocol.TypeNotice, 1, `{"notice":"output_held","exit":{"how":"exited","code":42}}`)
	})
	for range 5 {
		r := f.Run(t, func(d *dial.Dialer) { d.Options.ResumeFor = 0 })
		if r.Code != report.ExitFailure || !strings.Contains(r.Said, "exit code 42") ||
			strings.Contains(r.Said, "unknown") {
			t.Fatalf("%+v", r)
		}
	}
}

// What ended by a signal does not count as success, whatever code is said beside it (EX6).
func TestSignalAndCode(t *testing.T) {
	for exit, want := range map[string]int{
		`{"how":"signalled","signal":"TERM","code":0}`:   143,
		`{"how":"signalled","signal":"NOSUCH","code":0}`: report.ExitFailure,
	} {
		f := fakedaemon.New(t, fakedaemon.Exits(exit))
		if r := f.Run(t, nil); r.Code != want {
			t.Errorf("%s: %+v", exit, r)
		}
	}
}
