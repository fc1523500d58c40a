package transport

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// If the peer's window is full, the kernel's probes may be two minutes apart, and one may be lost;
// after that the peer's system is gone.
func TestRecent(t *testing.T) {
	for _, c := range []struct {
		window, ago uint32
		want        bool
	}{
		{1000, 44_999, true}, {1000, 45_000, false}, {1, 120_000, false},
		{0, 44_999, true}, {0, 120_200, true}, {0, 284_999, true}, {0, 285_000, false},
	} {
		if got := recent(&unix.TCPInfo{Snd_wnd: c.window, Last_ack_recv: c.ago},
			45*time.Second); got != c.want {
			t.Errorf("window %d, %d ms ago: %v", c.window, c.ago, got)
		}
	}
}

// setLoopback sets the interface of the calling thread's network namespace up or down.
func setLoopback(t *testing.T, up bool) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	if up {
		req.SetUint16(unix.IFF_UP)
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req); err != nil {
		t.Fatal(err)
	}
}

// A peer's system that cannot be reached does not answer, whatever is sent, and answers again when
// it can be reached. A peer that reads nothing, so that its window is full, answers. The test runs
// in a network namespace that goes with its thread.
func TestPeerFallsSilent(t *testing.T) {
	// never unlocked: the thread ends with this goroutine, and the namespace with it
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skip("not run: a network namespace of its own: ", err)
	}
	setLoopback(t, true)
	raw, _ := loopback(t)
	raw.SetDeadline(time.Time{})
	conn := Plain(raw)
	const within = 300 * time.Millisecond
	for start := time.Now(); !conn.PeerAnswers(within); conn.Write([]byte("x")) {
		if time.Since(start) > 30*time.Second {
			t.Fatal("a peer on a link that is up never answers")
		}
	}
	setLoopback(t, false)
	for start := time.Now(); conn.PeerAnswers(within); <-time.After(within / 10) {
		if time.Since(start) > 30*time.Second {
			t.Fatal("a peer that cannot be reached answers")
		}
		conn.Write([]byte("x"))
	}
	for range 10 {
		conn.Write([]byte("x"))
		<-time.After(within / 10)
		if conn.PeerAnswers(within) {
			t.Fatal("a peer that cannot be reached answers")
		}
	}
	setLoopback(t, true)
	// what was sent is sent again
	for start := time.Now(); !conn.PeerAnswers(within); <-time.After(within / 10) {
		if time.Since(start) > 30*time.Second {
			t.Fatal("a peer that can be reached again never answers")
		}
	}

	conn.SetWriteDeadline(time.Now().Add(time.Second))
	if _, err := raw.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("64 MiB to a peer that reads nothing: %v", err)
	}
	for start := time.Now(); !conn.PeerAnswers(0); <-time.After(within / 10) {
		if time.Since(start) > 30*time.Second {
			t.Fatal("a peer whose window is full never answers")
		}
	}
}

// After the peer's FIN or RST the kernel still says when the peer's system acknowledged last: that
// tells a client that was killed from a NAT box that answers for one that sleeps (RE4).
func TestPeerAnswersAfterTheEnd(t *testing.T) {
	for _, reset := range []bool{false, true} {
		raw, peer := loopback(t)
		conn := Plain(raw)
		if reset {
			peer.(*net.TCPConn).SetLinger(0)
		}
		peer.Close()
		if n, err := conn.Read(make([]byte, 1)); err == nil || reset == errors.Is(err, io.EOF) {
			t.Fatalf("reset %v: %d bytes, %v", reset, n, err)
		}
		if !conn.AnswersKnown() || !conn.PeerAnswers(10*time.Second) {
			t.Errorf("reset %v: its system acknowledged nothing in 10 seconds", reset)
		}
		for start := time.Now(); conn.PeerAnswers(50 * time.Millisecond); <-time.After(10 *
			time.Millisecond) {
			if time.Since(start) > 30*time.Second {
				t.Fatalf("reset %v: it acknowledges for ever", reset)
			}
		}
	}
}
