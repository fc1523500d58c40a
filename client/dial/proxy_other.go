//go:build !unix

package dial

import "syscall"

// proxies: pipes have no deadlines here, and there is no shell with exec.
const proxies = false

func apart(bool) *syscall.SysProcAttr { return nil }

func (p *proxy) signal(syscall.Signal) { p.cmd.Process.Kill() }

func hasTerminal() bool { return false }
