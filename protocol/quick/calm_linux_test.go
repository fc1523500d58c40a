package quick

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// calmed makes this program one that calms its watcher and tells of its threads.
const calmed = "QUICK_TEST_CALMED"

func TestMain(m *testing.M) {
	if os.Getenv(calmed) != "" {
		before := threads()
		CalmWatcher()
		tellThreads(before)
		return
	}
	os.Exit(m.Run())
}

// tellThreads prints which thread sleeps by nanosleep(2), as the watcher alone does, and then which of those that were there before have SCHED_BATCH: a later
// one inherits it where the watcher has made it.
func tellThreads(before []string) {
	for range 2 * runtime.GOMAXPROCS(0) { // while somebody works, the watcher looks around
		go func() {
			for {
				runtime.Gosched()
			}
		}()
	}
	number := strconv.Itoa(unix.SYS_NANOSLEEP) + " "
	for {
		for _, tid := range threads() {
			if call, err := os.ReadFile("/proc/self/task/" + tid + "/syscall"); err == nil && strings.HasPrefix(string(call), number) {
				fmt.Println("watcher", tid)
				for _, tid := range before {
					n, _ := strconv.Atoi(tid)
					if policy, _, _ := syscall.RawSyscall(syscall.SYS_SCHED_GETSCHEDULER, uintptr(n), 0, 0); policy == unix.SCHED_BATCH {
						fmt.Println("batch", tid)
					}
				}
				return
			}
		}
	}
}

func threads() (tids []string) {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		panic(err)
	}
	for _, entry := range entries {
		tids = append(tids, entry.Name())
	}
	return tids
}

// The thread that is calmed is the watcher, and no other that is there then.
func TestCalmWatcher(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), calmed+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var watcher, batch []string
	for line := range strings.Lines(string(out)) {
		what, tid, _ := strings.Cut(strings.TrimSpace(line), " ")
		if what == "watcher" {
			watcher = append(watcher, tid)
		} else {
			batch = append(batch, tid)
		}
	}
	if len(watcher) != 1 || len(batch) != 1 || watcher[0] != batch[0] {
		t.Errorf("the watcher is %v, calmed were %v", watcher, batch)
	}
}
