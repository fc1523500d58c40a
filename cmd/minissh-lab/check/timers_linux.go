package check

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// timers are the threads of a program that wait until a time comes, in a sleep or for something
// with a time-out, each with the number of times that it has waited. known is false where the
// system does not show that. (An alarm(2) is not seen.)
func timers(pid int) (waiting map[string]string, known bool) {
	tasks, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*") // well formed
	waiting = map[string]string{}
	for _, task := range tasks {
		call, err := os.ReadFile(task + "/syscall")
		if err != nil {
			continue // it has just ended, or may not be looked at
		}
		known = true
		if timed(strings.Fields(string(call))) {
			waiting[task] = waitedOf(task)
		}
	}
	return waiting, known
}

// waitedOf is how often a thread has waited, in digits.
func waitedOf(task string) string {
	status, _ := os.ReadFile(task + "/status") // of one that has ended it is ""
	_, rest, _ := strings.Cut(string(status), "\nvoluntary_ctxt_switches:")
	n, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(n)
}

// Where a system call has its time-out, counted from 1: in milliseconds, -1 for none; or by a
// pointer, 0 for none.
var (
	milliseconds = map[int]int{unix.SYS_EPOLL_PWAIT: 4}
	pointer      = map[int]int{unix.SYS_PPOLL: 3, unix.SYS_PSELECT6: 5, unix.SYS_FUTEX: 4,
		unix.SYS_RT_SIGTIMEDWAIT: 3}
	sleeping = []int{unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP}
)

func init() {
	if runtime.GOARCH == "amd64" { // other systems have no such calls: poll, epoll_wait, select
		milliseconds[7], milliseconds[232], pointer[23] = 3, 4, 5
	}
}

// timed reports a system call with a time-out, as proc(5) shows it: its number, six arguments, the
// stack, the place; "running" or -1 outside one.
func timed(call []string) bool {
	if len(call) < 7 {
		return false
	}
	n, err := strconv.Atoi(call[0])
	argument := func(i int) uint64 {
		v, _ := strconv.ParseUint(strings.TrimPrefix(call[i], "0x"), 16, 64) // the kernel's
		return v
	}
	switch i, p := milliseconds[n], pointer[n]; {
	case err != nil:
		return false
	case i > 0:
		return int32(argument(i)) >= 0
	case p > 0:
		return argument(p) != 0
	}
	return slices.Contains(sleeping, n)
}
