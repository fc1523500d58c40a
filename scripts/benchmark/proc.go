//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// clockTick is the unit of processor time in /proc: 100 a second on every Linux that Go knows.
const clockTick = 100

// stat returns the fields of /proc/pid/stat from the third on, the state.
func stat(pid int) ([]string, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	// pid (name) state ppid …; the name may hold anything, so count from its last bracket.
	return strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:])), nil
}

// family is a process and all below it that are alive.
func family(pid int) ([]int, error) {
	children := map[int][]int{}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		id, _ := strconv.Atoi(filepath.Base(dir))
		fields, err := stat(id)
		if err != nil {
			continue // it has ended meanwhile
		}
		if parent, err := strconv.Atoi(fields[1]); err == nil {
			children[parent] = append(children[parent], id)
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all, nil
}

// familyPSS is the proportional share of memory, in KiB, of a process and all below it.
func familyPSS(pid int) (int64, error) {
	all, err := family(pid)
	if err != nil {
		return 0, err
	}
	total := int64(0)
	for _, id := range all {
		kib, err := memory(id, "smaps_rollup", "Pss:")
		if errors.Is(err, os.ErrNotExist) && id != pid {
			continue // it has ended meanwhile
		}
		if err != nil {
			return 0, err
		}
		total += kib
	}
	return total, nil
}

// familyCPU is the processor time in seconds of a process, all below it, and all that they have
// waited for.
func familyCPU(pid int) float64 {
	all, err := family(pid)
	if err != nil {
		return 0
	}
	ticks := 0
	for _, id := range all {
		fields, err := stat(id)
		if err != nil {
			continue // it has ended, and its parent now holds its time
		}
		for _, field := range fields[11:15] { // utime stime cutime cstime
			n, _ := strconv.Atoi(field)
			ticks += n
		}
	}
	return float64(ticks) / clockTick
}

// memory reads one KiB count from /proc/pid/file.
func memory(pid int, file, field string) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, field); ok {
			return strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("no %s in /proc/%d/%s", field, pid, file)
}
