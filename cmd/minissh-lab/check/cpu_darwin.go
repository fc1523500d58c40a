package check

import (
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// processorTime is what the processes of pid's group have used so far, as ps tells
// it: [[hh:]mm:]ss.cc.
func processorTime(pid int) (time.Duration, bool) {
	out, err := exec.Command("ps", "-axo", "pgid=,time=").Output()
	if err != nil {
		return 0, false
	}
	var sum time.Duration
	found := false
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) != 2 || fields[0] != strconv.Itoa(pid) {
			continue
		}
		found = true
		seconds := 0.0
		for part := range strings.SplitSeq(fields[1], ":") {
			n, _ := strconv.ParseFloat(part, 64)
			seconds = seconds*60 + n
		}
		sum += time.Duration(seconds * float64(time.Second))
	}
	return sum, found
}
