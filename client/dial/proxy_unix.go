//go:build unix

package dial

import (
	"os"
	"syscall"
)

const proxies = true

// apart is how a proxy is started: alone in a session of its own, or in our process group.
func apart(alone bool) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: alone} }

// signal reaches all that a proxy in a session of its own has started. The program has not been
// waited for (end), so that its id is still its own.
func (p *proxy) signal(sig syscall.Signal) {
	if p.alone {
		syscall.Kill(-p.cmd.Process.Pid, sig)
		return
	}
	p.cmd.Process.Signal(sig)
}

// hasTerminal says whether there is a terminal to ask on.
func hasTerminal() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err == nil {
		tty.Close()
	}
	return err == nil
}
