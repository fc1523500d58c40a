//go:build !linux

package dial

// await waits for the program's end.
func (p *proxy) await() { p.cmd.Wait() }

func (p *proxy) reap() {}
