package check

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// tick is the unit of /proc/PID/stat's times: USER_HZ, 100 on every Linux that Go
// runs on.
const tick = 10 * time.Millisecond

// processorTime is what the processes of pid's session have used so far.
func processorTime(pid int) (time.Duration, bool) {
	var sum time.Duration
	found := false
	files, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			continue // it has just ended
		}
		// pid (comm) state ppid pgrp session …; comm may hold anything, also ')'
		rest := data[bytes.LastIndexByte(data, ')')+1:]
		fields := bytes.Fields(rest)
		if len(fields) < 15 || string(fields[3]) != strconv.Itoa(pid) {
			continue
		}
		found = true
		for _, i := range []int{11, 12, 13, 14} { // utime, stime, and of ended children
			n, _ := strconv.Atoi(string(fields[i]))
			sum += time.Duration(n) * tick
		}
	}
	return sum, found
}
