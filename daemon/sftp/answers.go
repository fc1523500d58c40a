package sftp

import (
	"encoding/binary"
	"io"
	"sync"
)

// answers passes the library's packets on, each in one write, and counts them: each packet of the
// client has one answer. The library returns at the end of its input, maybe before it has written
// the last ones; so the end waits for them.
type answers struct {
	out    io.WriteCloser
	change func(packet []byte) []byte // what takes the place of a packet; nil: itself
	held   []byte                     // the beginning of a packet; owned by Write

	mu    sync.Mutex // guards the rest
	wakes sync.Cond  // when something has changed
	given int        // whole packets that have been written
	over  bool       // there will not be any more
}

func newAnswers(out io.WriteCloser) *answers {
	a := &answers{out: out}
	a.wakes.L = &a.mu
	return a
}

// Write is io.Writer's. The library calls it from one goroutine, for the parts of one packet after
// the other.
func (a *answers) Write(p []byte) (int, error) {
	a.held = append(a.held, p...)
	if len(a.held) < 4 || len(a.held) < 4+int(binary.BigEndian.Uint32(a.held)) {
		return len(p), nil
	}
	packet := a.held
	if a.change != nil {
		packet = a.change(packet)
	}
	_, err := a.out.Write(packet)
	a.held = a.held[:0]
	a.mu.Lock()
	defer a.mu.Unlock()
	a.given++
	a.over = a.over || err != nil
	a.wakes.Broadcast()
	return len(p), err
}

// Close is io.Closer's.
func (a *answers) Close() error {
	a.mu.Lock()
	a.over = true
	a.wakes.Broadcast()
	a.mu.Unlock()
	return a.out.Close()
}

// await waits until so many packets have been written, or there will not be any more.
func (a *answers) await(packets int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.given < packets && !a.over {
		a.wakes.Wait()
	}
}
