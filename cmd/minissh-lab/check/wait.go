package check

import (
	"errors"
	"net"
	"os"
	"time"
)

// spun is how much processor time a program may use while it has nothing to do.
const spun = 250 * time.Millisecond

// maxOvertime is how often a case gives its program more time.
const maxOvertime = 2

// busyUntil gives a program more time that still computes: a slow machine is not its fault. It is
// false when the program waits, or has had more time maxOvertime times in this case.
func (a *attack) busyUntil(deadline *time.Time) bool {
	if a.prog == nil || a.prog.ended() || a.overtime == maxOvertime {
		return false
	}
	if quiet, known := waits(a.prog.p.PID); quiet || !known {
		return false
	}
	a.overtime++
	*deadline = time.Now().Add(a.o.Limit)
	return true
}

// calm gives the program the time to finish what it does: it returns when the program waits for
// something, has ended, or after a second.
func (a *attack) calm() {
	if a.prog == nil {
		return
	}
	seen := 0
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline) && seen < 3; {
		if a.prog.ended() || a.ctx.Err() != nil {
			return
		}
		quiet, known := waits(a.prog.p.PID)
		if !known {
			a.idle(100 * time.Millisecond) // no system but Linux tells
			return
		}
		if seen++; !quiet {
			seen = 0
		}
		a.idle(3 * time.Millisecond)
	}
}

// maxLinger is how long a program with a timer is watched, and one that cannot be looked into.
const (
	maxLinger = time.Second
	blindly   = 500 * time.Millisecond
)

// linger gives a program that has answered the time to show whether it ends by itself. One that
// waits for its clients alone does not: only a thread that waits for a time can do something
// without them, and only until that thread has woken once.
func (a *attack) linger() {
	a.calm()
	if a.prog == nil || a.prog.ended() {
		return
	}
	first, known := timers(a.prog.p.PID)
	if !known {
		a.orEnd(blindly)
		return
	}
	for end := time.Now().Add(maxLinger); len(first) > 0 && time.Now().Before(end); {
		a.orEnd(20 * time.Millisecond)
		now, _ := timers(a.prog.p.PID)
		for thread, waited := range first {
			if now[thread] != waited {
				delete(first, thread)
			}
		}
		if a.prog.ended() || a.ctx.Err() != nil {
			return
		}
	}
	a.calm()
}

// orEnd waits for d, or until the program ends.
func (a *attack) orEnd(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-a.prog.p.Done():
	case <-a.ctx.Done():
	}
}

// fate is what a program did when the conversation was over.
type fate int

const (
	ended  fate = iota // it ended
	closed             // it closed the connection
	wentOn             // it sent more, as if nothing had happened
	spins              // it uses the processor and does nothing
	hangs              // it does nothing
)

// fateOf watches the program and its end of conn until something is known. conn may be nil: then it
// hangs as soon as it waits. more is what it sent when it went on. A program that is busy gets more
// time than limit: only what it has used of the processor shows that it spins.
func (a *attack) fateOf(conn net.Conn, limit time.Duration) (f fate, more []byte) {
	var before time.Duration
	known := false
	if a.prog != nil {
		before, known = processorTime(a.prog.p.PID)
	}
	deadline := time.Now().Add(limit)
	buf := make([]byte, 4096)
	looked, calm := time.Now(), 0
	for a.ctx.Err() == nil {
		if conn == nil {
			a.idle(20 * time.Millisecond)
		} else {
			conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			n, err := conn.Read(buf)
			switch {
			case n > 0:
				return wentOn, buf[:n]
			case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
				return closed, nil
			}
		}
		late := time.Now().After(deadline)
		if a.prog == nil {
			if late {
				break
			}
			continue
		}
		if a.prog.ended() {
			return ended, nil
		}
		quiet, sure := waits(a.prog.p.PID)
		if calm++; !quiet {
			calm = 0
		}
		switch {
		case conn == nil && calm > 3, late && (calm > 0 || !sure),
			time.Now().After(deadline.Add(3 * limit)):
			return hangs, nil
		}
		// a look costs a walk through /proc
		if known && calm == 0 && time.Since(looked) > 60*time.Millisecond {
			looked = time.Now()
			if now, ok := processorTime(a.prog.p.PID); ok && now-before >= spun {
				return spins, nil
			}
		}
	}
	return hangs, nil
}

// fateText says what happened.
func fateText(f fate, limit time.Duration) Text {
	switch f {
	case ended:
		return tx("程序结束了", "the program ended")
	case closed:
		return tx("程序关闭了连接", "the program closed the connection")
	case wentOn:
		return tx("程序像什么都没发生一样，接着发",
			"the program went on as if nothing had happened")
	case spins:
		return tx("死循环：占了 %v 的 CPU，却什么也没做",
			"it spins: %v of processor time, nothing done", spun)
	}
	return tx("%v 内没有任何反应，一直在等", "nothing for %v: it waits", limit)
}
