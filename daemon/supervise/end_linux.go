package supervise

import (
	"fmt"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"minissh/daemon/process"
)

// reap notices the ends of generations, and reaps what users left running and nobody else waits
// for. A process on the roll of a generation is ours only if that is dead: its end may be seen
// first, and its number must not be given to another process before its session is stopped.
func (s *supervisor) reap() {
	for range reapedAtOnce {
		waits := false
		for _, g := range s.all {
			switch {
			case ended(unix.P_PID, g.pid) != g.pid:
			case s.heard(g):
				s.ended(g)
			default:
				waits = true
			}
		}
		if s.sweeps > 0 || waits {
			return // we are called again
		}
		pid := ended(unix.P_ALL, 0)
		if pid == 0 || s.listed(pid) {
			return // or its generation's end is about to be told
		}
		if s.all[pid] == nil {
			unix.Wait4(pid, nil, 0, nil)
		}
	}
	s.later(0, s.reap) // others have their turn meanwhile
}

// reapedAtOnce bounds how long users whose processes end and end keep the supervisor busy.
const reapedAtOnce = 64

// heard says whether all is known that a dead generation has said, perhaps why it ended. If not, it
// has reap called when it is, or soon.
func (s *supervisor) heard(g *generation) bool {
	if !g.silent && g.wait == nil {
		g.wait = s.later(patience, func() {
			g.silent = true
			s.reap()
		})
	}
	return g.silent
}

// ended is a child that has ended and was not reaped, 0 if there is none.
func ended(kind, id int) int {
	var info unix.Siginfo
	for {
		err := unix.Waitid(kind, id, &info, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || info.Signo == 0 {
			return 0
		}
		return pidOf(&info)
	}
}

// listed says whether a process is on the roll of a generation.
func (s *supervisor) listed(pid int) bool {
	for _, g := range s.all {
		for _, one := range on(g.slots) {
			if one.pid == pid {
				return true
			}
		}
	}
	return false
}

// ended is the end of a generation, which has not been reaped.
func (s *supervisor) ended(g *generation) {
	var status syscall.WaitStatus
	syscall.Wait4(g.pid, &status, 0, nil)
	delete(s.all, g.pid)
	left := on(g.slots)
	g.close()
	clean := status.Exited() && status.ExitStatus() == 0
	if !clean || len(left) > 0 {
		if g != s.next || s.served {
			s.Log.Error("A daemon has died", "pid", g.pid, "how", howEnded(status), "commands",
				len(left))
		}
	} else {
		s.Log.Info("A daemon has ended", "pid", g.pid)
	}
	s.sweep(left)
	switch g {
	case s.next:
		s.next = nil
		for _, key := range g.opened { // nobody else has it
			s.drop(key)
		}
		s.notStarted(g, status)
	case s.current:
		s.current = nil
		if s.next != nil && s.next.ready {
			s.commit(s.next)
			return
		}
		s.again()
	}
}

// notStarted is the end of a generation that has never served.
func (s *supervisor) notStarted(g *generation, status syscall.WaitStatus) {
	why := g.why
	if why.Err == "" {
		why.Err = "it ended before it was ready: " + howEnded(status)
	}
	if g.asker != nil && s.all[g.asker.pid] == g.asker {
		g.asker.say(message{Kind: kindUpgraded, Text: why.Err, Hint: why.Fix})
	}
	switch {
	case s.stopping || s.leaving:
	case s.current != nil:
		s.Log.Error("The new daemon did not start; the old one serves on", "error", why.Err)
	case !s.served: // it has said why
		if g.why.Err == "" {
			s.Log.Error("The daemon did not start", "error", why.Err)
		}
		s.end(1)
	default:
		s.Log.Error("The new daemon did not start", "error", why.Err)
		s.again()
	}
}

const (
	// lasted is how long a generation lives that has not died at its start.
	lasted = 10 * time.Second
	// quickMost of those in a row that have, are followed by another one after the usual pause;
	// then it is doubled each time, up to pauseMost.
	quickMost = 5
	pauseMost = 30 * time.Second
)

// again starts a generation in place of one that has died: at once, unless the last one was started
// just now.
func (s *supervisor) again() {
	if s.stopping || s.leaving {
		return
	}
	s.quick++
	if time.Since(s.started) > lasted {
		s.quick = 0
	}
	wait := min(pause<<max(0, s.quick-quickMost), pauseMost)
	s.later(max(0, wait-time.Since(s.started)), func() {
		if s.stopping || s.leaving || s.current != nil || s.next != nil {
			return
		}
		if err := s.start(nil); err != nil {
			s.Log.Error("The daemon cannot be started", "error", err.Error())
			s.again()
		}
	})
}

// sweep stops what a dead generation left running, as it would have done itself when its clients
// had gone (RULES C2).
func (s *supervisor) sweep(left []noted) {
	for _, one := range left {
		command, err := process.TakeOrphan(one.pid, one.terminal)
		if err != nil {
			s.Log.Warn("A command is not stopped", "pid", one.pid, "error", err.Error())
			continue
		}
		s.sweeps++
		go func() {
			alive, err := command.Stop(s.rush, s.Grace)
			if s.Swept != nil {
				s.Swept()
			}
			s.do <- func() {
				if s.sweeps--; err != nil {
					s.Log.Error("Not all of a command could be stopped", "pid", one.pid, "left",
						len(alive), "error", err.Error())
				}
				s.reap()
			}
		}()
	}
}

// pidOf reads si_pid: after three ints comes an aligned union that begins with it.
func pidOf(info *unix.Siginfo) int {
	const union = (12 + strconv.IntSize/8 - 1) / (strconv.IntSize / 8) * (strconv.IntSize / 8)
	return int(*(*int32)(unsafe.Add(unsafe.Pointer(info), union)))
}

func howEnded(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "signal " + unix.SignalName(status.Signal())
	}
	return fmt.Sprintf("exit code %d", status.ExitStatus())
}
