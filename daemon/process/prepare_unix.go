//go:build linux || darwin

package process

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Prepare does what a daemon must do once, first of all: it begins the program again if signals are
// blocked (see clearMask), calls ResetSignals, sets the umask to 022 for the whole process (it is
// inherited, and there is no umask of one goroutine: nothing may change it later), and marks every
// inherited descriptor above 2 close-on-exec, also those that socket activation passed.
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

// ResetSignals makes commands start with every signal at its default action. A daemon started by
// `sh -c 'minisshd &'` has INT and QUIT ignored, under nohup HUP, and from some parents PIPE, TSTP,
// TTIN or TTOU; exec keeps what is ignored, and a command so started would not hear Ctrl-C (RULES
// A11). A signal that has a handler goes back to its default on exec, so the ignored ones are
// caught here, and dropped: the daemon itself goes on as if it ignored them. PIPE is always caught,
// so that a log whose reader is gone does not end the daemon.
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
