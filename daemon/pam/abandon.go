//go:build linux && pam

package pam

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// abandon ends a PAM process whose modules do not come back, from whatever thread, after the
// programs that they wait for: pam_exec gives those kernel sessions of their own, so that nobody
// else finds them.
func abandon() {
	// until none is there that has been started meanwhile; some may not die at once
	for i := 0; i < 50 && len(killBelow(os.Getpid())) > 0; i++ {
	}
	os.Exit(3)
}

// killBelow kills the living descendants of a process, and returns those that it found.
func killBelow(top int) (found []int) {
	parents := map[int]int{}
	names, _ := os.ReadDir("/proc")
	for _, entry := range names {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		text, _ := os.ReadFile("/proc/" + entry.Name() + "/stat")
		// PID (NAME) STATE PARENT …; a name may have parentheses, later fields have none
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(fields) > 1 && fields[0][0] != 'Z' {
			parents[pid], _ = strconv.Atoi(string(fields[1]))
		}
	}
	for pid := range parents {
		for above := parents[pid]; above > 1; above = parents[above] {
			if above == top {
				found = append(found, pid)
				break
			}
		}
	}
	for _, pid := range found {
		unix.Kill(pid, unix.SIGKILL)
	}
	return found
}
