//go:build unix

package scripts

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"minissh/scripts/wire"
)

// resumePython has minissh.py resume (RESUMING.md) with a real minisshd, over links that are cut.
// client is the client's arguments for a port.
func resumePython(t *testing.T, dir, python, port string, client func(port string) []string,
	random []byte) {
	daemon := net.JoinHostPort("127.0.0.1", port)
	ends := wire.Cut{Way: wire.OfKind("end")[0]}
	start := func(t *testing.T, fate func(int) wire.Fate) (*wire.Relay,
		func(words ...string) *exec.Cmd) {
		relay, err := wire.Listen(daemon, fate)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(relay.Close)
		return relay, func(words ...string) *exec.Cmd {
			cmd := exec.Command(python, append(client(relay.Port()), words...)...)
			cmd.Dir = dir
			return cmd
		}
	}

	t.Run("every cut", func(t *testing.T) {
		var made atomic.Pointer[wire.Relay]
		relay, command := start(t, func(int) wire.Fate {
			n := 0
			if relay := made.Load(); relay != nil { // else it is the first link
				n = len(relay.Past())
			}
			switch {
			case n >= len(wire.Ways):
				return wire.Fate{}
			case n%2 == 0: // in the login, in the first frames, and further and further on
				return wire.Fate{Cut: &wire.Cut{Way: wire.Ways[n]}, Up: 2500 + int64(n)*4_000}
			}
			return wire.Fate{Cut: &wire.Cut{Way: wire.Ways[n]}, Down: 500 + int64(n)*4_000}
		})
		made.Store(relay)
		starts := filepath.Join(t.TempDir(), "starts")
		cmd := command("--resume", "600", "127.0.0.1",
			"echo started >> '"+starts+"'; echo err >&2; cat; exit 7")
		// A clock at five times the speed: an idle link that is cut shows after 3 seconds.
		cmd.Args = slices.Insert(cmd.Args, 1, "-c", atSpeed, "5")
		var out, errOut bytes.Buffer
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(random), &out, &errOut
		cmd.Run()
		if !bytes.Equal(out.Bytes(), random) {
			t.Errorf("%d bytes came back of %d, or others", out.Len(), len(random))
		}
		if code := cmd.ProcessState.ExitCode(); code != 7 ||
			strings.Count(errOut.String(), "err\n") != 1 {
			t.Errorf("exit code %d, %s", code, errOut.String())
		}
		if runs, err := os.ReadFile(starts); string(runs) != "started\n" {
			t.Errorf("the command wrote %q, %v", runs, err)
		}
		if cuts := len(relay.Past()); cuts < len(wire.Ways) {
			t.Errorf("%d cuts of %d", cuts, len(wire.Ways))
		}
	})

	// told runs a command that waits; when it has started, `event` happens. The client must end
	// with 255 and say all of `says`.
	told := func(t *testing.T, cmd *exec.Cmd, event func(), says ...string) {
		t.Helper()
		var errOut bytes.Buffer
		cmd.Stderr = &errOut
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer stdin.Close()
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(stdout)
		if line, err := lines.ReadString('\n'); line != "started\n" {
			t.Errorf("%q, %v", line, err)
		}
		event()
		rest, _ := io.ReadAll(lines)
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 255 || len(rest) > 0 {
			t.Errorf("exit code %d, %q", code, rest)
		}
		for _, text := range says {
			if !strings.Contains(errOut.String(), text) {
				t.Errorf("it did not say %q, but %s", text, errOut.String())
			}
		}
	}
	t.Run("a key that was taken out", func(t *testing.T) {
		name := filepath.Join(dir, "authorized_keys")
		allowed, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		defer os.WriteFile(name, allowed, 0o600)
		relay, command := start(t, nil)
		told(t, command("--resume", "60", "127.0.0.1", "echo started; cat"), func() {
			if err := os.WriteFile(name, nil, 0o600); err != nil {
				t.Error(err)
			}
			relay.Cut(ends)
		}, "the key may no longer log in", "the command was started, how it ended is unknown")
	})
	t.Run("no way back", func(t *testing.T) {
		relay, command := start(t, nil)
		told(t, command("--resume", "2", "127.0.0.1", "echo started; cat"), relay.Close,
			"gave up after 2 s", "the command was started, it runs until the hold is over")
	})
}
