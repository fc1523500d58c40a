package dial

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// await waits for the program's end, and leaves it to reap: until then nobody else has its id.
func (p *proxy) await() {
	for unix.Waitid(unix.P_PID, p.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT,
		nil) == unix.EINTR {
	}
}

// reap ends what the program has left in its session, and forgets the program.
func (p *proxy) reap() {
	if p.alone {
		p.signal(syscall.SIGHUP)
	}
	p.cmd.Wait()
}
