//go:build unix

package forward_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"minissh/client/fakedaemon"
	"minissh/client/forward"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// echoing is a daemon that listens on port 7777 and, as the target of every connection, says back
// what it is told.
func echoing(t *testing.T) *fakedaemon.Memory {
	return fakedaemon.NewMemory(t, func(ch *mux.Channel) {
		open := ch.Request()
		if open.Accept { // nobody comes
			<-ch.Gone()
			ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
			return
		}
		said := &protocol.Opened{}
		if open.Listen != nil {
			said.Port = 7777
		}
		ch.Send(protocol.TypeOpened, said)
		for {
			e, err := ch.Take()
			switch {
			case err != nil:
				ch.Close(nil)
				return
			case e.EOF:
				fakedaemon.Exited(ch, 0)
				return
			case len(e.Data) > 0:
				ch.Write(protocol.TypeStdout, e.Data)
			}
		}
	})
}

// free is a port that nobody listens on.
func free(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Forwards come and go under way: what is open goes on when its forward is taken away.
func TestChanges(t *testing.T) {
	f, err := forward.Start(echoing(t).Connect(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	do := func(line, want string) {
		t.Helper()
		said, err := f.Command(t.Context(), line)
		if err != nil {
			said = err.Error()
		}
		if !strings.Contains(said, want) || want == "" && said != "" {
			t.Errorf("%s: %q", line, said)
		}
	}
	list := func(want ...string) {
		t.Helper()
		forwards, connections := f.List()
		if got := append(forwards, connections...); strings.Join(got, "|") !=
			strings.Join(want, "|") {
			t.Errorf("%q, want %q", got, want)
		}
	}
	port, socks := free(t), free(t)
	local, dynamic := fmt.Sprintf("-L %d:web:80", port), fmt.Sprintf("-D %d", socks)
	do("  -L"+local[3:], "Forwarding port.")
	do(local, "Forwarding port.") // it is there already
	do(dynamic, "Forwarding port.")
	do("-R0:localhost:22", "Forwarding port.")
	list(local, dynamic, "-R 0:localhost:22 (port 7777)")
	address := fmt.Sprintf("127.0.0.1:%d", port)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	both := make([]byte, 2)
	say := func() {
		t.Helper()
		io.WriteString(conn, "hi")
		if _, err := io.ReadFull(conn, both); err != nil || string(both) != "hi" {
			t.Errorf("%q, %v", both, err)
		}
	}
	say()
	list(local, dynamic, "-R 0:localhost:22 (port 7777)",
		conn.LocalAddr().String()+" to web:80")
	do(fmt.Sprintf("KL %d", port), "Canceled forwarding.")
	do(fmt.Sprintf("-KD%d", socks), "Canceled forwarding.")
	do("-KR 7777", "Canceled forwarding.")
	list(conn.LocalAddr().String() + " to web:80")
	say()
	for _, gone := range []int{port, socks} {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", gone)); err == nil {
			t.Errorf("port %d is still there", gone)
			c.Close()
		}
	}
	do("-KR 7777", "nothing is forwarded from port 7777")
	do("-KL "+fmt.Sprint(port), "nothing is forwarded")
	do("", "")
	do("?", "-KD[bind_address:]port")
	do("-X 80", "is not a command here")
	do("-L 80", "is not [bind_address:]port:host:hostport")
	do("-L 99999:a:1", "99999:a:1")
	do("!id", "is not a command here")
	list(conn.LocalAddr().String() + " to web:80")
	conn.Close()
	testend.Until(t, "the connection is over", func() bool {
		_, connections := f.List()
		return len(connections) == 0
	})
}

// Forwards of the other side take channels, which do not run out in silence, and come back.
func TestChangesBound(t *testing.T) {
	f, err := forward.Start(echoing(t).Connect(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	added := 0
	for ; added < 100; added++ {
		if _, err = f.Command(t.Context(), fmt.Sprintf("R 0:h:%d", added+1)); err != nil {
			break
		}
	}
	if added < 2 || added > protocol.MinChannels || !strings.Contains(err.Error(),
		"all channels of this session are in use") {
		t.Fatalf("%d, %v", added, err)
	}
	for range added {
		if err := f.Cancel(to(7777, 0)); err != nil {
			t.Fatal(err)
		}
	}
	testend.Until(t, "channels are free again", func() bool {
		_, err := f.Command(t.Context(), "R 0:h:1")
		return err == nil
	})
}
