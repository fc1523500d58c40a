package check

import (
	"errors"
	"net"
	"os"
	"time"
)

// spun is how much processor time a program may use while it has nothing to do.
const spun = 250 * time.Millisecond

// memoryLimit is how much a program may grow over a length that it should have
// refused, in bytes of address space (some languages begin with a lot of it).
const memoryLimit = 1 << 30

// fate is what a program did when the conversation was over.
type fate int

const (
	ended  fate = iota // it ended
	closed             // it closed the connection
	wentOn             // it sent more, as if nothing had happened
	spins              // it uses the processor and does nothing
	hangs              // it does nothing
)

// fateOf watches the program and its end of conn until something is known. conn
// may be nil. more is what it sent when it went on.
func (a *attack) fateOf(conn net.Conn, limit time.Duration) (f fate, more []byte) {
	var before time.Duration
	known := false
	if a.prog != nil {
		before, known = processorTime(a.prog.p.PID)
	}
	deadline := time.Now().Add(limit)
	buf := make([]byte, 4096)
	looked := time.Now()
	for {
		if conn != nil {
			conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			n, err := conn.Read(buf)
			switch {
			case n > 0:
				return wentOn, buf[:n]
			case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
				return closed, nil
			}
		}
		if a.prog != nil {
			if a.prog.ended() {
				return ended, nil
			}
			// a look costs a walk through /proc
			if known && time.Since(looked) > 60*time.Millisecond {
				looked = time.Now()
				if now, ok := processorTime(a.prog.p.PID); ok && now-before >= spun {
					return spins, nil
				}
			}
		}
		if time.Now().After(deadline) || a.ctx.Err() != nil {
			return hangs, nil
		}
		if conn == nil {
			t := time.NewTimer(20 * time.Millisecond)
			select {
			case <-t.C:
			case <-a.ctx.Done():
			}
			t.Stop()
		}
	}
}

// fateText says what happened.
func fateText(f fate, limit time.Duration) Text {
	switch f {
	case ended:
		return tx("程序结束了", "the program ended")
	case closed:
		return tx("程序关闭了连接", "the program closed the connection")
	case wentOn:
		return tx("程序当什么都没发生，接着发", "the program went on as if nothing had happened")
	case spins:
		return tx("空转：%v 的 CPU 时间，什么也没做",
			"it spins: %v of processor time, nothing done", spun)
	}
	return tx("%v 里什么也没发生：一直等", "nothing for %v: it waits", limit)
}
