package service

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// heard is a terminal, or a pipe, that notes how it is written to.
type heard struct {
	tried, written, loud atomic.Int64
}

var (
	_ process.Input = (*heard)(nil)
	_ mux.TryWriter = (*heard)(nil)
)

func (h *heard) TryWrite(p []byte) int       { h.tried.Add(int64(len(p))); return len(p) }
func (h *heard) Write(p []byte) (int, error) { h.written.Add(int64(len(p))); return len(p), nil }
func (h *heard) Loud()                       { h.loud.Add(1) }
func (h *heard) Close() error                { return nil }

// said is a command's output.
type said struct {
	io.Reader
	loud atomic.Int64
}

var _ process.Output = (*said)(nil)

func (s *said) Loud()        { s.loud.Add(1) }
func (s *said) Close() error { return nil }

// overChannel lets serve do its part on a channel of a session in memory, and returns the client's
// end.
func overChannel(t *testing.T, serve func(*mux.Channel)) (ch *mux.Channel, end func()) {
	t.Helper()
	near, far := net.Pipe()
	daemon := mux.New(mux.Config{Role: mux.Daemon, Accept: serve})
	go func() {
		f, err := protocol.NewReader(far).Next()
		hello := new(protocol.Hello)
		if err == nil {
			err = f.Decode(hello)
		}
		if err == nil {
			err = daemon.Accept(far, hello, &protocol.Welcome{})
		}
		if err != nil {
			t.Error(err)
		}
		far.Close()
	}()
	client := mux.New(mux.Config{Role: mux.Client})
	ch, err := client.Open(&protocol.Open{Service: "exec"})
	if err == nil {
		_, err = client.Connect(near, &protocol.Hello{User: "u"})
	}
	if err != nil {
		t.Fatal(err)
	}
	return ch, func() { client.Close(nil); daemon.Wait() }
}

// The goroutine that reads the link first tries to write a key to a terminal at once; anything
// larger goes there as to a pipe, which is told when much comes.
func TestFeedTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stdin := new(heard)
		ch, end := overChannel(t, func(ch *mux.Channel) {
			ch.Send(protocol.TypeOpened, &protocol.Opened{PID: 1})
			c := &command{ch: ch, p: &process.Process{Stdin: stdin}}
			c.feed()
			if n := c.in.Load(); n != 1+40_000 {
				t.Errorf("%d bytes are counted", n)
			}
			ch.Close(nil)
		})
		synctest.Wait()
		ch.Write(protocol.TypeStdin, []byte("k"))
		synctest.Wait()
		if stdin.tried.Load() != 1 || stdin.written.Load() != 0 || stdin.loud.Load() != 0 {
			t.Errorf("a key: %d tried, %d written", stdin.tried.Load(), stdin.written.Load())
		}
		ch.Write(protocol.TypeStdin, make([]byte, 40_000))
		synctest.Wait()
		if stdin.written.Load() != 40_000 || stdin.loud.Load() != 1 {
			t.Errorf("much: %d written, told %d times", stdin.written.Load(), stdin.loud.Load())
		}
		end()
	})
}

// Output is told when much comes of it, and not before.
func TestForwardIsLoud(t *testing.T) {
	for size, loud := range map[int]bool{100: false, 100_000: true} {
		synctest.Test(t, func(t *testing.T) {
			stdout := &said{Reader: strings.NewReader(strings.Repeat("x", size))}
			ch, end := overChannel(t, func(ch *mux.Channel) {
				ch.Send(protocol.TypeOpened, &protocol.Opened{PID: 1})
				c := &command{ch: ch, p: &process.Process{}}
				c.forward(protocol.TypeStdout, stdout)
				ch.Close(nil)
			})
			got := 0
			for {
				e, err := ch.Take()
				if got += len(e.Data); err != nil {
					break
				}
			}
			if got != size || (stdout.loud.Load() > 0) != loud {
				t.Errorf("%d of %d bytes, told %d times", got, size, stdout.loud.Load())
			}
			end()
		})
	}
}
