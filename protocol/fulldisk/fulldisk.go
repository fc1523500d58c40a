//go:build unix

package fulldisk

import (
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
)

// mark tells the process that runs the part from the one that started it.
const mark = "MINISSH_TEST_FULL_DISK"

// Run calls part in a process of its own, in which no regular file can grow beyond limit bytes
// (RLIMIT_FSIZE). part reports through its t. Run is the last thing that a test or subtest does,
// since both processes do everything before it.
func Run(t *testing.T, limit uint64, part func(t *testing.T)) {
	t.Helper()
	if os.Getenv(mark) == t.Name() {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGXFSZ) // else the system ends the process
		var old syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE,
			&syscall.Rlimit{Cur: limit, Max: old.Max}); err != nil {
			t.Fatal(err)
		}
		defer syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old)
		part(t)
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$",
		"-test.count=1", "-test.v")
	child.Env = append(os.Environ(), mark+"="+t.Name())
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("with files of at most %s bytes: %v\n%s", strconv.FormatUint(limit, 10), err, out)
	}
}
