//go:build linux || darwin

package process

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Prepare does what a daemon must do once, before anything else. It starts the program again if
// signals are blocked (see clearMask), calls ResetSignals, and sets the umask to 022 for the whole
// process: it is inherited, and all goroutines share one, so nothing may change it later. It marks
// every inherited descriptor above 2 close-on-exec, including those from socket activation.
func Prepare() error {
	clearMask()
	ResetSignals()
	syscall.Umask(0o022) // as under sshd
	return keepDescriptors()
}

// keepDescriptors marks all descriptors above 2 close-on-exec.
func keepDescriptors() error {
	dir, err := os.Open("/dev/fd")
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if fd, err := strconv.Atoi(name); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
	return nil
}

// discarded takes the signals that ResetSignals catches. Nobody reads it.
var discarded = make(chan os.Signal, 1)

// ResetSignals makes commands start with the default action for every signal. A daemon started by
// `sh -c 'minisshd &'` has INT and QUIT ignored, under nohup HUP, and from some parents PIPE, TSTP,
// TTIN or TTOU. exec keeps ignored signals, so a command would not react to Ctrl-C (RULES A11). A
// signal with a handler goes back to its default on exec, so the ignored ones are caught here and
// dropped: the daemon itself continues as if it ignored them. PIPE is always caught, so that a log
// whose reader is gone does not end the daemon.
//
// Nothing may call signal.Ignore after this. A main that handles INT or TERM uses Notify.
func ResetSignals() {
	signal.Notify(discarded, unix.SIGPIPE)
	for n := syscall.Signal(1); n < 32; n++ {
		if n != unix.SIGKILL && n != unix.SIGSTOP && ignored(n) {
			signal.Notify(discarded, n)
		}
	}
}
