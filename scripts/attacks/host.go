//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"minissh/scripts/lifetime"
)

// Where a host listens.
const (
	hostAddress = "127.0.0.1"
	hostPort    = 7422
	hostSocket  = labDir + "/socket"
	hostControl = labDir + "/control"
	hostLog     = labDir + "/log"
)

// The daemon's graces, as it is told, and what a stop may take beyond them: five seconds to see
// that what was killed is dead, which a process in a hung system call never is, and two for the
// machine.
const (
	shutdownGrace = time.Second
	stopGrace     = time.Second
	stopSlack     = 7 * time.Second
)

// stopLimit is how long a stop may take. A short run is one of the tests: there the machine may
// have much else to do, and what is to be seen is that the daemon ends.
func (w *world) stopLimit() time.Duration {
	if w.o.short {
		return shutdownGrace + stopGrace + patience
	}
	return shutdownGrace + stopGrace + stopSlack
}

// conditions are how a host differs from the usual one.
type conditions struct {
	args      []string
	processes int  // RLIMIT_NPROC
	pids      int  // pids.max of a group that the daemon is in
	unread    bool // its log is a full pipe's: nobody reads it
	socket    bool // the honest come by the Unix socket
}

// host is a running minisshd.
type host struct {
	w      *world
	c      conditions
	cmd    *exec.Cmd
	done   chan struct{} // closed when it has ended
	unread *os.File      // the pipe that nobody reads
}

// startHost starts a daemon of root on two processors and waits until it listens.
func (w *world) startHost(c conditions) (*host, error) {
	h := &host{w: w, c: c, done: make(chan struct{})}
	os.Remove(hostSocket)
	args := append([]string{binDir + "/minisshd", "--listen",
		fmt.Sprintf("%s:%d", hostAddress, hostPort), "--listen", "unix:" + hostSocket,
		"--unix-mode", "0666", "--control", hostControl, "--host-key",
		filepath.Join(labDir, "host_key"),
		"--shutdown-grace", shutdownGrace.String(), "--stop-grace", stopGrace.String()}, c.args...)
	if c.pids > 0 {
		if w.cgroup == "" {
			return nil, &notRun{"needs a pids controller"}
		}
		if err := os.WriteFile(filepath.Join(w.cgroup, "pids.max"), fmt.Appendln(nil, c.pids),
			0o644); err != nil {
			return nil, &notRun{fmt.Sprintf("needs a pids controller (%v)", err)}
		}
		args = append(args, "--cgroup", w.cgroup)
		args = append([]string{"sh", "-c", `echo $$ >"$0" && exec "$@"`,
			filepath.Join(w.cgroup, "cgroup.procs")}, args...)
	}
	if c.processes > 0 {
		args = append([]string{"bash", "-c", `ulimit -u "$0" && exec "$@"`,
			fmt.Sprint(c.processes)}, args...)
	}
	h.cmd = exec.Command(args[0], args[1:]...)
	h.cmd.Env = append(environment("/root", "root"), "GOMAXPROCS=2")
	h.cmd.Dir = "/"
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	log, err := h.openLog()
	if err != nil {
		return nil, err
	}
	defer log.Close()
	h.cmd.Stderr = log
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		h.cmd.Wait()
		close(h.done)
	}()
	lifetime.Until(w.ctx, patience, func() bool { return listens() || h.ended() })
	if !listens() || h.ended() {
		text, _ := os.ReadFile(hostLog)
		h.kill()
		return nil, fmt.Errorf("minisshd does not listen:\n%s", text)
	}
	return h, nil
}

// openLog is where the daemon's standard error goes.
func (h *host) openLog() (*os.File, error) {
	if !h.c.unread {
		return os.OpenFile(hostLog, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	}
	r, w, err := os.Pipe()
	h.unread = r
	return w, err
}

func listens() bool {
	_, err := os.Stat(hostSocket)
	return err == nil
}

func (h *host) ended() bool {
	select {
	case <-h.done:
		return true
	default:
		return false
	}
}

// stop sends TERM once and returns how long the daemon took; the error is that it took too long.
func (h *host) stop() (time.Duration, error) {
	if h.ended() {
		return 0, fmt.Errorf("the daemon had ended by itself: %v", h.cmd.ProcessState)
	}
	start := time.Now()
	h.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-h.done:
		return time.Since(start), nil
	case <-time.After(h.w.stopLimit()):
		h.kill()
		return time.Since(start), fmt.Errorf("SIGTERM did not end the daemon within %v",
			h.w.stopLimit())
	}
}

// kill ends the daemon whatever it does.
func (h *host) kill() {
	if h.cmd.Process != nil {
		h.cmd.Process.Kill()
		<-h.done
	}
	if h.unread != nil {
		h.unread.Close()
	}
}

// peakMemory is the most that the daemon ever had in memory, in MiB.
func (h *host) peakMemory() int {
	kib, _ := strconv.Atoi(strings.TrimSuffix(readStatus(h.cmd.Process.Pid, "VmHWM"), " kB"))
	return kib / 1024
}

// logged is the size of its log so far, in bytes.
func (h *host) logged() int64 {
	info, err := os.Stat(hostLog)
	if err != nil || h.c.unread {
		return 0
	}
	return info.Size()
}

// descriptors is how many it has open.
func (h *host) descriptors() int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", h.cmd.Process.Pid))
	return len(entries)
}

// processesOf counts the living processes of somebody.
func processesOf(uid uint32) (pids []int) {
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || strings.HasPrefix(readStatus(pid, "State"), "Z") {
			continue
		}
		if ids := strings.Fields(readStatus(pid, "Uid")); len(ids) > 0 &&
			ids[0] == strconv.Itoa(int(uid)) {
			pids = append(pids, pid)
		}
	}
	return pids
}
