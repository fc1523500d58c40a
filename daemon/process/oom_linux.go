package process

import (
	"os"
	"strconv"
	"strings"
	"sync"
)

// spared says whether the daemon was told to be killed later than others when memory runs out (OOMScoreAdjust= in a unit).
var spared = sync.OnceValue(func() bool {
	text, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		return false
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	return err == nil && n < 0
})

// unspare takes that from a command, which has inherited it: what a user runs is not the daemon. What the command starts before that keeps it.
func unspare(pid int) {
	if spared() {
		os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte("0"), 0)
	}
}
