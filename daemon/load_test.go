//go:build unix

package daemon

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"minissh/protocol"
	"minissh/protocol/mux"
)

// descriptors says whether this process may hold so many.
func descriptors(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil ||
		uint64(limit.Cur) < n {
		t.Skipf("%d descriptors are needed, %d are allowed (ulimit -n): %v", n, limit.Cur, err)
	}
}

// each runs f for 0 to n-1, some at a time, and reports the first error.
func each(t *testing.T, n, atOnce int, f func(i int) error) {
	t.Helper()
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	errs := make(chan error, n)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for i := range next {
				if err := f(i); err != nil {
					errs <- fmt.Errorf("%d: %w", i, err)
				}
			}
		})
	}
	all.Wait()
	if len(errs) > 0 {
		t.Fatal(<-errs)
	}
}

// A thousand idle sessions and two hundred running commands at once; a newcomer is served as ever,
// and afterwards nothing is left.
func TestThousandSessions(t *testing.T) {
	const sessions, commands = 1000, 200
	descriptors(t, 2*sessions+8*commands+200)
	l := newLab(t, func(o *Options) { o.Shares.Sessions = 2 * sessions })
	before := l.warm()
	all := make([]*mux.Session, sessions)
	each(t, sessions, 16, func(i int) error {
		conn := l.tryOver(l.dial())
		if conn == nil {
			return fmt.Errorf("no handshake")
		}
		all[i] = mux.New(mux.Config{Role: mux.Client})
		_, err := all[i].Connect(conn, &protocol.Hello{User: user})
		return err
	})
	running := make([]*mux.Channel, commands)
	each(t, commands, 16, func(i int) (err error) {
		running[i], err = all[i*sessions/commands].Open(&protocol.Open{
			Service: "exec", Command: protocol.Bytes("exec cat")})
		if err == nil {
			_, err = running[i].Write(protocol.TypeStdin, []byte{byte(i)})
		}
		if err == nil {
			_, err = running[i].Next(make([]byte, 1)) // it runs
		}
		return err
	})
	if got := len(l.sessions.Entries()); got != sessions {
		t.Errorf("%d sessions", got)
	}
	if out, _ := l.run("echo served"); out != "served\n" {
		t.Errorf("a newcomer gets %q", out)
	}
	each(t, commands, 16, func(i int) error {
		running[i].EOF(protocol.TypeStdin)
		r, err := finish(running[i])
		if err == nil && (r.exit == nil || r.exit.How != protocol.HowExited) {
			err = fmt.Errorf("%+v", r)
		}
		return err
	})
	each(t, sessions, 64, func(i int) error { all[i].Close(nil); return nil })
	settle(t, before)
}

// A client that takes no output, whether it grants nothing or does not even read its socket, costs
// the daemon no more than what is under way, and others nothing: they run fifty commands meanwhile.
func TestClientThatNeverReads(t *testing.T) {
	const stuck, channels = 4, 10
	for name, reads := range map[string]bool{"grants nothing": true, "reads nothing": false} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, nil)
			before := l.warm()
			base := heap()
			var peers []*scripted
			var readers sync.WaitGroup
			for range stuck {
				p := l.enter()
				for id := uint32(1); id < 2*channels; id += 2 {
					p.send(open(id, "exec yes"))
				}
				peers = append(peers, p)
				if reads {
					readers.Go(func() {
						for {
							if _, err := p.in.Next(); err != nil {
								return
							}
						}
					})
				}
			}
			l.until("all run",
				func() bool {
					return strings.Count(l.log.String(), "command=\"exec yes\"") == stuck*channels
				})
			s := l.session(nil)
			for i := range 50 {
				if r := collect(t, shell(t, s, fmt.Sprintf("echo %d", i))); r.out != fmt.Sprintf(
					"%d\n", i) {
					t.Fatalf("%d: %+v", i, r)
				}
			}
			// For each channel no more than its window, for each link a batch and its TLS records.
			const most = stuck*(2<<20) + stuck*channels*protocol.InitialWindow
			grown := heap() - base
			t.Logf("%d KiB for %d links with %d channels each", grown>>10, stuck, channels)
			if grown > most {
				t.Errorf("the daemon holds %d KiB more than before, %d at most are due", grown>>10,
					most>>10)
			}
			s.Close(nil)
			for _, p := range peers {
				p.hangUp(true)
			}
			readers.Wait()
			settle(t, before)
		})
	}
}

// heap is what is in use, in bytes.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // a sync.Pool lets go at the second
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Input that the command does not take stops at the window (CH5), and other channels of the same
// session go on.
func TestCommandThatNeverReads(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	base := heap()
	stuck := start(t, s, protocol.Open{Command: protocol.Bytes("echo ready; exec sleep 1000")})
	firstLine(t, stuck)
	sent := make(chan int, 1)
	go func() {
		n, _ := stuck.Write(protocol.TypeStdin, make([]byte, 64<<20))
		sent <- n
	}()
	for i := range 20 {
		if r := collect(t, shell(t, s, fmt.Sprintf("echo %d", i))); r.out != fmt.Sprintf("%d\n",
			i) {
			t.Fatalf("%d: %+v", i, r)
		}
	}
	if grown := heap() - base - 64<<20; grown > 8<<20 {
		t.Errorf("%d KiB are held", grown>>10)
	}
	stuck.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	if n := <-sent; n > 4<<20 {
		t.Errorf("%d bytes were taken from the sender", n)
	}
	if r := collect(t, stuck); r.exit == nil || r.exit.How != protocol.HowCancelled {
		t.Errorf("%+v", r.exit)
	}
	s.Close(nil)
}
