package process

import (
	"bytes"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// ignored says whether a signal is ignored. The runtime does not know that of every signal (it
// leaves TSTP, TTIN and TTOU as they were), the kernel does.
func ignored(sig syscall.Signal) bool {
	if signal.Ignored(sig) {
		return true
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false
	}
	_, after, _ := bytes.Cut(status, []byte("\nSigIgn:\t"))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	set, err := strconv.ParseUint(string(line), 16, 64)
	return err == nil && set&(1<<(sig-1)) != 0
}

// clearMask makes commands start with no signal blocked. A mask is inherited through fork and exec
// (env --block-signal sets one, and some parents forget theirs). Each of our threads begins with
// the mask that the daemon was started with, except for the signals that Go unblocks for itself,
// TERM among them: a command would never get TSTP or USR1. So the program starts again without a
// mask, in the same process and with the same arguments, before anything else. clearMask returns if
// there is nothing to do, or if it cannot be done.
func clearMask() {
	runtime.LockOSThread() // the mask is the thread's; exec takes it along
	defer runtime.UnlockOSThread()
	var none, now unix.Sigset_t
	if unix.PthreadSigmask(unix.SIG_BLOCK, nil, &now) != nil ||
		uint64(now.Val[0])&commandSignals == 0 {
		return
	}
	if unix.PthreadSigmask(unix.SIG_SETMASK, &none, nil) != nil {
		return
	}
	if unix.PthreadSigmask(unix.SIG_BLOCK, nil, &now) != nil ||
		uint64(now.Val[0])&commandSignals != 0 {
		return // else for ever
	}
	self, err := selfPath()
	if err == nil {
		syscall.Exec(self, os.Args, os.Environ())
	}
}

// commandSignals are the bits of the signals from 1 to 31: the others belong to libraries.
const commandSignals = 1<<31 - 1

// selfPath is this program, even if its file was replaced or the account cannot reach it.
func selfPath() (string, error) { return "/proc/self/exe", nil }
