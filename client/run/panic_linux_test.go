package run_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/options"
	"minissh/client/prompt"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// panics is where a client in a session on a terminal may panic: whatever the goroutine, the
// terminal is restored.
var panics = map[string]func(*dial.Dialer, *run.Streams){
	"what reads the link": func(d *dial.Dialer, _ *run.Streams) {
		d.Trace = panicAt(mux.Received, protocol.TypeStdout)
	},
	"what writes to it": func(d *dial.Dialer, _ *run.Streams) {
		d.Trace = panicAt(mux.Sent, protocol.TypeStdin)
	},
	"what shows the output": func(_ *dial.Dialer, s *run.Streams) { s.Stderr = panicking{} },
	"what shows our notices": func(d *dial.Dialer, _ *run.Streams) {
		d.Messages = report.New(panicking{}, d.Options)
	},
	atThePrompt: func(d *dial.Dialer, _ *run.Streams) {
		d.Trace = panicAt(mux.Received, protocol.TypePing)
	},
}

// atThePrompt is while a line is edited, when the link is read.
const atThePrompt = "at the prompt"

func panicAt(where mux.Direction, kind protocol.Type) func(mux.Direction, protocol.Frame) {
	return func(d mux.Direction, f protocol.Frame) {
		if d == where && f.Type == kind {
			panic("meant")
		}
	}
}

type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("meant") }

// panicVariable tells this test's own child where to panic.
const panicVariable = "MINISSH_TEST_PANIC"

func TestPanicRestoresTerminal(t *testing.T) {
	if where := os.Getenv(panicVariable); where != "" {
		panicAsTold(t, where)
		return
	}
	for where := range panics {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			master, slave, err := pty.Open()
			if err != nil {
				t.Skip("not run: needs a pty: ", err)
			}
			defer master.Close()
			defer slave.Close()
			state := func() unix.Termios { return terminalMode(t, slave) }
			before := state()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestPanicRestoresTerminal$")
			dir := t.TempDir() // the child does not come to remove its own
			cmd.Env = append(os.Environ(), panicVariable+"="+where, "TMPDIR="+dir,
				"GOTMPDIR="+dir)
			var said bytes.Buffer
			cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, &said
			go io.Copy(io.Discard, master) // ends with it
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			tick := time.NewTicker(2 * time.Millisecond)
			defer tick.Stop()
			for state() == before {
				select {
				case <-tick.C:
				case <-ctx.Done():
					cmd.Wait()
					t.Fatalf("never in raw mode\n%s", said.String())
				}
			}
			if where == atThePrompt {
				cmd.Process.Signal(syscall.SIGUSR1)
			} else {
				master.WriteString("x~?\r~?")
			}
			cmd.Wait()
			if !strings.Contains(said.String(), "panic: meant") {
				t.Fatalf("%v\n%s", cmd.ProcessState, said.String())
			}
			if state() != before {
				t.Error("the terminal stays as it was in the session")
			}
		})
	}
}

// panicAsTold has a session with a daemon that answers the first key with output of both kinds; at
// the prompt, a signal with a PING.
func panicAsTold(t *testing.T, where string) {
	raw := make(chan os.Signal, 1)
	signal.Notify(raw, syscall.SIGUSR1)
	f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
		g.Welcome()
		if where == atThePrompt {
			<-raw
			g.Write(protocol.AppendFrame(nil, protocol.TypePing, 0, 0, make([]byte, 8)))
			g.Drain()
			return
		}
		g.Until(protocol.TypeOpen)
		g.Say(protocol.TypeOpened, 1, `{"pid":1,"tty":"/dev/pts/0"}`)
		g.Until(protocol.TypeStdin)
		g.Data(protocol.TypeStdout, "out")
		g.Data(protocol.TypeStderr, "err")
		g.Drain()
	})
	d, said := f.Dialer(t)
	streams := run.Streams{Keyboard: os.Stdin, Stdout: said, Stderr: said}
	panics[where](d, &streams)
	d.Options.EscapeChar = '~'
	if where == atThePrompt {
		prompt.Run(t.Context(), d, false)
		return
	}
	d.Options.RequestTTY = options.TTYForce
	run.Command(t.Context(), d, streams, nil)
}

func terminalMode(t *testing.T, f *os.File) unix.Termios {
	s, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *s
}
