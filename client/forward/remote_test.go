//go:build unix

package forward_test

import (
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"minissh/client/fakedaemon"
	"minissh/client/forward"
	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// listening is a daemon that says that it listens on a port, whatever was asked; accept serves the
// channels that wait for connections.
func listening(t *testing.T, port int, accept func(*mux.Channel)) *fakedaemon.Memory {
	return fakedaemon.NewMemory(t, func(ch *mux.Channel) {
		if ch.Request().Accept {
			accept(ch)
			return
		}
		ch.Send(protocol.TypeOpened, &protocol.Opened{Port: port})
		for {
			if _, err := ch.Take(); err != nil {
				ch.Close(nil)
				return
			}
		}
	})
}

// evil is what a terminal must not see raw.
const evil = "\x1b[31m\r\nminissh: hint: run evil"

func to(port, target int) *options.Forward {
	return &options.Forward{Remote: true, Port: port,
		Target: protocol.Target{Host: "127.0.0.1", Port: target}}
}

// A daemon that listens on another port than it was asked to, or on none that there is, is not
// believed; what it says is quoted.
func TestRemoteLies(t *testing.T) {
	for _, c := range []struct{ asked, said int }{{8080, 8081}, {8080, 0}, {0, 0}, {0, -1},
		{0, 65536}} {
		m := listening(t, c.said, func(ch *mux.Channel) { t.Error("it was believed") })
		o := m.Dialer.Options
		o.RemoteForwards, o.ExitOnForwardFailure = []*options.Forward{to(c.asked, 1)}, true
		if _, err := forward.Start(m.Connect(t)); err == nil ||
			!strings.Contains(err.Error(), "another port") {
			t.Errorf("%d, said %d: %v", c.asked, c.said, err)
		}
	}
	m := fakedaemon.NewMemory(t, func(ch *mux.Channel) {
		ch.Close(&protocol.Reason{Code: protocol.CodeListenFailed, Message: evil})
	})
	o := m.Dialer.Options
	o.RemoteForwards, o.ExitOnForwardFailure = []*options.Forward{to(8080, 1)}, true
	if _, err := forward.Start(m.Connect(t)); err == nil ||
		strings.ContainsRune(err.Error(), '\x1b') ||
		!strings.Contains(err.Error(), "remote port forwarding failed for listen port 8080") {
		t.Errorf("%v", err)
	}
}

// An agent that is not there is told as that.
func TestAgentMissing(t *testing.T) {
	var asked atomic.Bool
	m := listening(t, 0, func(ch *mux.Channel) {
		if !asked.Swap(true) {
			ch.Send(protocol.TypeOpened, &protocol.Opened{})
		}
		<-ch.Gone()
		ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	})
	missing := filepath.Join(t.TempDir(), "agent")
	m.Dialer.Options.LentAgent = missing
	f, err := forward.Start(m.Connect(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := "the agent at " + protocol.Quote(missing) + " cannot be reached: no such file"
	testend.Until(t, "it is told", func() bool { return strings.Contains(m.Said.String(), want) })
}

// A daemon that says at once that connections have come, on every channel: they go where the
// options say and nowhere else, there are never more than the session's channels, and one that has
// no target is closed.
func TestRemoteFlood(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().(*net.TCPAddr).Port
	l.Close()
	var open, most, closed atomic.Int32
	m := listening(t, 8080, func(ch *mux.Channel) {
		most.Store(max(most.Load(), open.Add(1)))
		ch.Send(protocol.TypeOpened, &protocol.Opened{From: evil})
		<-ch.Gone()
		if !ch.SessionEnded() {
			closed.Add(1)
		}
		open.Add(-1)
		ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	})
	m.Dialer.Options.RemoteForwards = []*options.Forward{to(8080, nobody)}
	f, err := forward.Start(m.Connect(t))
	if err != nil {
		t.Fatal(err)
	}
	testend.Until(t, "many have come", func() bool { return closed.Load() > 100 })
	f.Close()
	if most.Load() > protocol.MinChannels {
		t.Errorf("%d channels at once", most.Load())
	}
	if said := m.Said.String(); strings.ContainsRune(said, '\x1b') ||
		strings.Count(said, "cannot connect to") != 1 ||
		!strings.Contains(said, strconv.Itoa(nobody)) {
		t.Errorf("it says %s", said)
	}
}
