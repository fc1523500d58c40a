//go:build unix

package run_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/run"
	"minissh/protocol"
	"minissh/protocol/keys"
)

// With -W, the beginning of standard input travels with HELLO (SE3), so that going through a host
// costs no round trip more; if that key is refused the next session gets it again, and the rest
// once.
func TestStdioBegins(t *testing.T) {
	second := fakedaemon.NewKey(t)
	var refused, got bytes.Buffer
	f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
		refused.Write(g.Until(protocol.TypeStdin).Payload)
		fakedaemon.Refuse(`{"code":"key_not_authorized","key":"` +
			keys.Fingerprint(second.Public) + `"}`)(g)
	}, func(g *fakedaemon.Guest) {
		got.Write(g.Until(protocol.TypeStdin).Payload) // before WELCOME
		g.Welcome()
		g.Say(protocol.TypeOpened, 1, "{}")
		for f := g.Next(); f.Type != protocol.TypeEOF && f.Type != 0; f = g.Next() {
			if f.Type == protocol.TypeStdin {
				got.Write(f.Payload)
			}
		}
		g.Data(protocol.TypeStdout, "answer")
		g.EOF()
		g.Say(protocol.TypeClose, 1, "{}")
		g.Until(protocol.TypeGoodbye)
	})
	d, said := f.Dialer(t)
	d.Options.IdentityFiles = append(d.Options.IdentityFiles, fakedaemon.KeyFile(t, second))
	d.Options.StdioForward = &protocol.Target{Host: "there", Port: 7}
	long := strings.Repeat("0123456789", 5_000)
	code, out := stdio(t, d, long)
	if refused.Len() == 0 || !strings.HasPrefix(long, refused.String()) || got.String() != long {
		t.Errorf("%d bytes, then %d of %d; %s", refused.Len(), got.Len(), len(long), said)
	}
	if out != "answer" {
		t.Errorf("%d, %q, %s", code, out, said)
	}
}

// A target that resets the connection is told, unless we had said all: a client that jumps through
// us has left then.
func TestStdioReset(t *testing.T) {
	for _, all := range []bool{true, false} {
		f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
			g.Until(protocol.TypeStdin)
			g.Welcome()
			g.Say(protocol.TypeOpened, 1, "{}")
			if all {
				g.Until(protocol.TypeEOF)
			}
			g.Say(protocol.TypeClose, 1, `{"code":"connection_broken"}`)
			g.Until(protocol.TypeGoodbye)
		})
		d, said := f.Dialer(t)
		d.Options.StdioForward = &protocol.Target{Host: "there", Port: 7}
		in, typing := io.Pipe()
		go func() {
			io.WriteString(typing, "x")
			if all {
				typing.Close()
			}
		}()
		code := run.Stdio(t.Context(), d, run.Streams{Stdin: in, Stdout: io.Discard,
			Stderr: io.Discard}, nil)
		typing.Close()
		if told := strings.Contains(said.String(), "reset the connection"); code != 255 ||
			told == all {
			t.Errorf("said all: %v: %d, %s", all, code, said)
		}
	}
}

func stdio(t *testing.T, d *dial.Dialer, in string) (code int, out string) {
	t.Helper()
	var stdout bytes.Buffer
	done := make(chan int, 1)
	go func() {
		done <- run.Stdio(context.Background(), d, run.Streams{Stdin: strings.NewReader(in),
			Stdout: &stdout, Stderr: &stdout}, nil)
	}()
	select {
	case code := <-done:
		return code, stdout.String()
	case <-time.After(fakedaemon.Patience):
		t.Fatal("it hangs")
		panic("unreachable")
	}
}
