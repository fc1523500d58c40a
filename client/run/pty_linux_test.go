package run_test

import (
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"minissh/client/fakedaemon"
	"minissh/client/options"
	"minissh/client/run"
	"minissh/protocol/mux"
)

// A command on a pty ends with its own code, or with 255 when the user leaves; either way a message
// says that the connection is closed, and the terminal is restored.
func TestCommandOnPTY(t *testing.T) {
	for name, c := range map[string]struct {
		keys string
		code int
	}{"it exits": {"x\r", 6}, "the user leaves": {"~.", 255}} {
		t.Run(name, func(t *testing.T) {
			master, slave, err := pty.Open()
			if err != nil {
				t.Skip("not run: needs a pty: ", err)
			}
			defer master.Close()
			defer slave.Close()
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0)) // a shell needs one processor
			d := fakedaemon.NewMemory(t, func(ch *mux.Channel) {
				fakedaemon.Begin(ch, "/dev/pts/9")
				if typed(ch, "\r") != "" {
					fakedaemon.Exited(ch, 6)
				}
				ch.Close(nil)
			})
			d.Dialer.Options.RequestTTY = options.TTYForce
			shown, code := new(fakedaemon.Messages), make(chan int, 1)
			streams := run.Streams{Keyboard: slave, Stdout: shown, Stderr: shown}
			before := terminalMode(t, slave)
			go func() { code <- run.Command(t.Context(), d.Dialer, streams, nil) }()
			awaitRaw(t, &screen{tty: slave})
			master.WriteString(c.keys)
			select {
			case got := <-code:
				if got != c.code {
					t.Errorf("%d instead of %d: %s", got, c.code, d.Said)
				}
			case <-time.After(fakedaemon.Patience):
				t.Fatal("it goes on")
			}
			if !strings.HasSuffix(d.Said.String(), "Connection to fake closed.\n") {
				t.Errorf("said %q", d.Said)
			}
			if after := terminalMode(t, slave); after != before || after.Lflag&syscall.ICANON == 0 {
				t.Errorf("the terminal is in another mode: %+v", after)
			}
		})
	}
}
