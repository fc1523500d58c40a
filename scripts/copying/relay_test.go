//go:build linux

// Package copying_test copies with the programs as they are installed: through a relay that cuts at
// a chosen byte, onto a disk that is full, and with ends that are killed.
package copying_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"minissh/scripts/testhost"
)

func TestMain(m *testing.M) { testhost.Main(m) }

// relay forwards connections to a daemon, counts the bytes of both directions, and may cut.
type relay struct {
	listener net.Listener
	target   string
	conns    atomic.Int64
	up, down atomic.Int64 // bytes towards the daemon, and back

	mu      sync.Mutex // guards the rest
	cutUp   int64      // cut when so many bytes went up; 0: never
	cutDown int64
	reset   bool // the cut is a reset, else an end as of a program that closes
	onCut   func()
	cuts    int
	pace    func() // waits before each piece; nil: none
	running sync.WaitGroup
}

func newRelay(t *testing.T, target string) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: listener, target: target}
	r.running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.conns.Add(1)
			r.running.Go(func() { r.serve(conn) })
		}
	})
	t.Cleanup(func() { listener.Close(); r.running.Wait() })
	return r
}

func (r *relay) port() string {
	_, port, _ := net.SplitHostPort(r.listener.Addr().String())
	return port
}

// set begins to count anew, with a cut after so many bytes in a direction.
func (r *relay) set(up, down int64, reset bool, onCut func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.up.Store(0)
	r.down.Store(0)
	r.cutUp, r.cutDown, r.reset, r.onCut, r.cuts = up, down, reset, onCut, 0
}

// sendBuffer is what the relay asks its system to hold of what it has sent and the receiver's
// system has not taken, in bytes; Linux doubles it (socket(7)). A reset drops that.
const sendBuffer = 32 << 10

func (r *relay) serve(client net.Conn) {
	daemon, err := net.Dial("tcp", r.target)
	if err != nil {
		client.Close()
		return
	}
	for _, conn := range []net.Conn{client, daemon} {
		conn.(*net.TCPConn).SetWriteBuffer(sendBuffer)
	}
	r.mu.Lock()
	cutUp, cutDown, pace := r.cutUp, r.cutDown, r.pace
	r.mu.Unlock()
	if pace == nil {
		pace = func() {}
	}
	var both sync.WaitGroup
	both.Go(func() { r.pass(daemon, client, &r.up, cutUp, pace) })
	both.Go(func() { r.pass(client, daemon, &r.down, cutDown, pace) })
	both.Wait()
	client.Close()
	daemon.Close()
}

// pass carries one direction, and reads it to its end. At a cut that is not a reset, every byte
// before it arrives: it ends with FIN there, and what comes from there is read on, because bytes
// that nobody reads would become a reset. A reset, in both directions, drops what the relay's
// system has not delivered.
func (r *relay) pass(to, from net.Conn, count *atomic.Int64, limit int64, pace func()) {
	defer io.Copy(io.Discard, from)
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		pace()
		if limit > 0 && count.Load()+int64(n) >= limit {
			n = int(limit - count.Load())
			to.Write(buf[:n])
			count.Add(int64(n))
			r.mu.Lock()
			r.cuts++
			reset, onCut := r.reset, r.onCut
			r.mu.Unlock()
			if onCut != nil {
				onCut()
			}
			if reset {
				for _, conn := range []net.Conn{to, from} {
					conn.(*net.TCPConn).SetLinger(0)
					conn.Close()
				}
				return
			}
			to.(*net.TCPConn).CloseWrite()
			from.Close()
			return
		}
		count.Add(int64(n))
		if _, werr := to.Write(buf[:n]); werr != nil || err != nil {
			if werr == nil {
				to.(*net.TCPConn).CloseWrite()
			}
			return
		}
	}
}
