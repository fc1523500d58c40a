package mux

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"minissh/protocol"
)

// An idle session holds no large buffer, whatever went through it before. The bound is for both its
// ends together, with the stacks of its goroutines, and leaves room for the daemon's half of a
// connection below 64 KiB.
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

// A peer sends all that it may on 64 channels, and reads nothing, to applications that read nothing
// and have much to say without data: doc.go says what that adds up to, without windows that grew.
// It was 700 MiB when SIGNALs had 64 KiB.
func TestWorstSession(t *testing.T) {
	const channels, most = 64, 38 << 20
	bubble(t, func(t *testing.T) {
		heap := func() int64 {
			runtime.GC()
			runtime.GC() // what a sync.Pool keeps goes with the second
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc)
		}
		before := heap()
		path := protocol.Bytes("/" + strings.Repeat("\xff", 4000))
		s, p, _ := deaf(t, Config{Channels: channels, Accept: func(c *Channel) {
			c.Send(protocol.TypeOpened, &protocol.Opened{TTY: path})
			text := strings.Repeat("\x01", 1024)
			for range 100 {
				for _, kind := range []string{protocol.NoticeOutputHeld,
					protocol.NoticeSignalRefused, protocol.NoticePTYRefused} {
					c.Send(protocol.TypeNotice, &protocol.Notice{Notice: kind, Message: text})
				}
			}
			<-c.Gone()
		}})
		for i := range uint32(channels) {
			id := 2*i + 1
			p.send(msg(protocol.TypeOpen, id, `{"service":"test","argv":[""`+strings.Repeat(`,""`,
				5400)+`]}`))
			for n := range 100 {
				name := fmt.Sprintf(`{"signal":"%d`, n)
				p.send(msg(protocol.TypeSignal, id, name+strings.Repeat("N", 256-2-len(name))+`"}`))
			}
			p.send(msg(protocol.TypeResize, id, `{"rows":5}`))
			for range 5 {
				p.send(data(protocol.TypeStdin, id, 49152))
			}
			p.send(data(protocol.TypeStdin, id, 262144-5*49152))
		}
		synctest.Wait()
		held := heap() - before
		t.Logf("%d KiB", held>>10)
		if err := s.Err(); err != nil {
			t.Fatal(err)
		}
		if held > most {
			t.Errorf("one session holds %d KiB, more than %d", held>>10, most>>10)
		}
		p.send(msg(protocol.TypeGoodbye, 0, "{}"))
		s.Wait()
		p.conn.Close()
	})
}

// No more than 8 streams of a session hold a large buffer, however much each has to send.
func TestLoudStreams(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const channels = 16
		s, p, _ := deaf(t, Config{Channels: channels, Accept: func(c *Channel) {
			c.Send(protocol.TypeOpened, &protocol.Opened{})
			c.Copy(protocol.TypeStdout, endless{}, nil)
		}})
		for i := range uint32(channels) {
			p.send(open(2*i + 1))
		}
		synctest.Wait()
		large := 0
		s.mu.Lock()
		for _, c := range s.channels {
			if len(c.out[1]) > 4<<10 {
				large++
			}
		}
		s.mu.Unlock()
		if large > 8 {
			t.Errorf("%d streams hold a large buffer", large)
		}
		p.send(msg(protocol.TypeGoodbye, 0, "{}"))
		s.Wait()
		if n := s.loud.Load(); n != 0 {
			t.Errorf("%d are counted when all have ended", n)
		}
		p.conn.Close()
	})
}

// endless reads as zeros for ever.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
