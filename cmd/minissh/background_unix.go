//go:build unix

package main

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"minissh/client/report"
)

// goToBackground is -f: Go cannot fork, so this program starts itself again with the same
// arguments. The child logs in, may ask questions on the terminal meanwhile, and says when it is
// done; then we leave. If it ends before, its exit code is ours.
func goToBackground(args []string) (code int, err error) {
	self, err := os.Executable()
	if err != nil {
		return report.ExitFailure, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return report.ExitFailure, err
	}
	defer r.Close()
	child := exec.Command(self, append([]string{backgroundVerb}, args...)...)
	// and /dev/null to read
	child.Stdout, child.Stderr, child.ExtraFiles = os.Stdout, os.Stderr, []*os.File{w}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err = child.Start()
	w.Close()
	if err != nil {
		return report.ExitFailure, err
	}
	ended := make(chan struct{})
	go forwardSignals(signals, child.Process, ended)
	if n, _ := r.Read(make([]byte, 1)); n == 1 {
		return 0, nil
	}
	child.Wait()
	close(ended)
	if code := child.ProcessState.ExitCode(); code >= 0 {
		return code, nil
	}
	return report.ExitFailure, nil
}

// forwardSignals passes on to the child the signals that we get. At the second one we end, and so
// does a child that ignores them.
func forwardSignals(signals <-chan os.Signal, child *os.Process, ended <-chan struct{}) {
	count := 0
	for sig := range signals {
		if count++; count > 1 {
			child.Signal(sig)
			select {
			case <-ended:
			case <-time.After(500 * time.Millisecond):
				child.Kill()
			}
			os.Exit(128 + int(sig.(syscall.Signal)))
		}
		if sig != os.Interrupt { // the terminal sends that to the child as well
			child.Signal(sig)
		}
	}
}

// inBackground is what the child does once it has logged in: it leaves the terminal's session, so
// that neither Ctrl-C nor the end of the terminal reaches it, and tells its parent.
func inBackground() {
	syscall.CloseOnExec(3)
	parent := os.NewFile(3, "parent")
	defer parent.Close()
	syscall.Setsid()
	parent.Write([]byte{1})
}

// silence replaces standard output and error by /dev/null.
func silence() {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer null.Close()
	unix.Dup2(int(null.Fd()), 1)
	unix.Dup2(int(null.Fd()), 2)
}
