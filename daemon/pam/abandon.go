//go:build linux && pam

package pam

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"minissh/daemon/process"
)

// verbAbandon starts this program as what ends a PAM process.
const verbAbandon = "abandon-pam"

func init() { process.Helper(verbAbandon, beAbandoner) }

// abandonTime is how long a PAM process waits to be ended.
const abandonTime = 5 * time.Second

// abandon ends a PAM process whose modules do not come back, from whatever thread, and the programs
// that they wait for: pam_exec gives those kernel sessions of their own, so that nobody else finds
// them. A child does it, because this process must be stopped meanwhile: its main thread is in a
// module, and may be about to fork.
func abandon() {
	if _, err := process.StartSelf(process.Account{Name: "root", Home: "/"}, verbAbandon,
		strconv.Itoa(os.Getpid())); err == nil {
		time.Sleep(abandonTime)
	}
	killAllBelow(os.Getpid(), 0)
	os.Exit(3)
}

// beAbandoner ends the process that has started this one.
func beAbandoner(args []string) int {
	parent := os.Getppid()
	if len(args) != 1 || args[0] != strconv.Itoa(parent) {
		return 2 // it has ended already
	}
	unix.Kill(parent, unix.SIGSTOP)
	killAllBelow(parent, os.Getpid())
	unix.Kill(parent, unix.SIGKILL)
	return 0
}

// killAllBelow kills the living descendants of a process, but for one, until none is there that has
// been started meanwhile. Some may not die at once.
func killAllBelow(top, spared int) {
	for i := 0; i < 50 && killBelow(top, spared); i++ {
	}
}

// killBelow kills those that it finds, and says whether there were any.
func killBelow(top, spared int) bool {
	parents := map[int]int{}
	names, _ := os.ReadDir("/proc")
	for _, entry := range names {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == spared {
			continue
		}
		text, _ := os.ReadFile("/proc/" + entry.Name() + "/stat")
		// PID (NAME) STATE PARENT …; a name may have parentheses, later fields have none
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(fields) > 1 && fields[0][0] != 'Z' {
			parents[pid], _ = strconv.Atoi(string(fields[1]))
		}
	}
	var found []int
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
	return len(found) > 0
}
