package conform

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// dies waits until a process of the daemon's is gone. Elsewhere than here it cannot be seen.
func (t *trial) dies(pid string) {
	n, err := strconv.Atoi(strings.TrimSpace(pid))
	if err != nil || n <= 1 {
		t.fail(tx("命令打印的进程号", "the process id that the command prints"),
			same(strconv.Quote(pid)))
	}
	if t.unix == "" && !strings.HasPrefix(t.o.Address, "unix:") {
		t.unreached(tx("守护进程可能在别的机器上", "the daemon may be on another machine"))
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	// EX7: HUP, and KILL five seconds later
	for end := time.Now().Add(t.o.Patience + 5*time.Second); alive(n); <-tick.C {
		if time.Now().After(end) {
			t.fail(tx("命令停了（EX7）", "the command is stopped (EX7)"),
				tx("进程 "+strconv.Itoa(n)+" 还在", "process "+strconv.Itoa(n)+" still runs"))
		}
	}
}

// alive says whether a process is there and is not a zombie.
func alive(pid int) bool {
	if stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); err == nil {
		_, state, _ := strings.Cut(string(stat), ") ")
		return !strings.HasPrefix(state, "Z")
	}
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(probeSignal) == nil
}
