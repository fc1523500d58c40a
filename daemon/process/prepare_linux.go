package process

import (
	"bytes"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

// ignored says whether a signal is ignored. The runtime does not know of all
// (it leaves TSTP, TTIN and TTOU as they were), the kernel does.
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
