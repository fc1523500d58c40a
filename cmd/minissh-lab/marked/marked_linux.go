package marked

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Find gives the processes that carry a mark in their environment: all that the program has
// started, wherever they have gone, unless they took another environment. It
// looks twice before it finds nobody: one look misses a process whose parent ended meanwhile.
func Find(mark string) []int {
	if pids := look(mark); len(pids) > 0 {
		return pids
	}
	return look(mark)
}

func look(mark string) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is well formed
	for _, name := range files {
		// One that has just ended, or is another user's, cannot be read; a zombie has none.
		if data, err := os.ReadFile(name); err == nil && hasMark(data, mark) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func hasMark(environ []byte, mark string) bool {
	for word := range bytes.SplitSeq(environ, []byte{0}) {
		if string(word) == mark {
			return true
		}
	}
	return false
}

// End kills them, and waits until they are gone or ctx ends. A number that has gone to
// another process meanwhile gets no signal: the handle comes before the look.
func End(ctx context.Context, mark string) {
	for pids := Find(mark); len(pids) > 0 && ctx.Err() == nil; pids = Find(mark) {
		for _, pid := range pids {
			handle, err := unix.PidfdOpen(pid, 0)
			if err != nil {
				continue // it has just ended
			}
			data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
			if err == nil && hasMark(data, mark) {
				unix.PidfdSendSignal(handle, unix.SIGKILL, nil, 0)
			}
			unix.Close(handle)
		}
		time.Sleep(time.Millisecond)
	}
}
