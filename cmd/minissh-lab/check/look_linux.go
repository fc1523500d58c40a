package check

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// waits says whether all threads of a program wait for something: it will do nothing more by
// itself. known is false for one that has gone.
func waits(pid int) (calm, known bool) {
	tasks, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/stat") // well formed
	for _, name := range tasks {
		data, err := os.ReadFile(name)
		if err != nil {
			continue // it has just ended
		}
		_, rest, _ := strings.Cut(string(data[strings.LastIndexByte(string(data), ')')+1:]), " ")
		if rest == "" || rest[0] != 'S' {
			return false, true
		}
		known = true
	}
	return known, known
}

// sleeps says whether a thread of a program is in a sleep of its own (nanosleep(2)).
func sleeps(pid int) bool {
	calls, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/syscall") // well formed
	for _, name := range calls {
		data, _ := os.ReadFile(name) // what may not be looked at is not seen to sleep
		number, _, _ := strings.Cut(string(data), " ")
		if n, err := strconv.Atoi(number); err == nil &&
			(n == unix.SYS_NANOSLEEP || n == unix.SYS_CLOCK_NANOSLEEP) {
			return true
		}
	}
	return false
}

// asks says whether a program waits for a line on its standard input (read(2) of descriptor 0).
func asks(pid int) bool {
	calls, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/syscall") // well formed
	for _, name := range calls {
		data, _ := os.ReadFile(name) // what may not be looked at is not seen to ask
		f := strings.Fields(string(data))
		if len(f) > 1 && f[0] == strconv.Itoa(unix.SYS_READ) && f[1] == "0x0" {
			return true
		}
	}
	return false
}

// listening are the TCP ports that a program listens on (proc(5), /proc/PID/net/tcp).
func listening(pid int) (ports []int) {
	dir := "/proc/" + strconv.Itoa(pid)
	fds, _ := filepath.Glob(dir + "/fd/*") // well formed
	own := map[string]bool{}
	for _, fd := range fds {
		target, _ := os.Readlink(fd) // it may have been closed meanwhile
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			own[strings.TrimSuffix(inode, "]")] = true
		}
	}
	for _, table := range []string{"/net/tcp", "/net/tcp6"} {
		data, _ := os.ReadFile(dir + table)
		for line := range strings.Lines(string(data)) {
			// sl local_address rem_address st … inode
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != "0A" || !own[f[9]] {
				continue
			}
			_, port, _ := strings.Cut(f[1], ":")
			if n, err := strconv.ParseUint(port, 16, 16); err == nil {
				ports = append(ports, int(n))
			}
		}
	}
	return ports
}

// peakMemory is the most memory that a program has had, in bytes (proc(5), VmHWM): the kernel
// keeps it, so that no moment is missed.
func peakMemory(pid int) (n int64, known bool) {
	data, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status") // it may have ended
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmHWM:" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n << 10, err == nil
		}
	}
	return 0, false
}
