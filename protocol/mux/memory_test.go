package mux

import (
	"io"
	"net"
	"runtime"
	"testing"

	"minissh/protocol"
)

// An idle session holds no large buffer, whatever went through it before. The bound is for both of its ends together, stacks of
// its goroutines included, and leaves room for the daemon's half of a connection below 64 KiB.
func TestIdleMemory(t *testing.T) {
	const sessions, most = 100, 48 << 10
	used := func() uint64 {
		runtime.GC()
		runtime.GC() // what a sync.Pool keeps goes with the second
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	big := make([]byte, 1<<20)
	buf := make([]byte, 1<<16)
	before := used()
	var clients, daemons []*Session
	for range sessions {
		near, far := net.Pipe()
		daemon := New(Config{Role: Daemon, Accept: echo})
		go func() {
			f, err := protocol.NewReader(far).Next()
			var hello protocol.Hello
			if err == nil && f.Decode(&hello) == nil {
				daemon.Accept(far, &hello, &protocol.Welcome{})
			}
		}()
		client := New(Config{Role: Client})
		_, err := client.Connect(near, &protocol.Hello{User: "u"})
		must(t, err)
		c, err := client.Open(&protocol.Open{Service: "echo"})
		must(t, err)
		go func() {
			c.Write(protocol.TypeStdin, big)
			c.EOF(protocol.TypeStdin)
		}()
		for n := 0; ; {
			e, err := c.Next(buf)
			if err == io.EOF {
				if n != len(big) {
					t.Fatalf("%d bytes came back", n)
				}
				break
			}
			must(t, err)
			n += e.N
		}
		c.Close(nil)
		clients, daemons = append(clients, client), append(daemons, daemon)
	}
	each := (int64(used()) - int64(before)) / sessions
	t.Logf("an idle session: %d bytes, both ends", each)
	if each > most {
		t.Errorf("an idle session holds %d bytes, more than %d", each, most)
	}
	for i := range clients {
		clients[i].Close(nil)
		daemons[i].Wait()
	}
}
