//go:build unix

package forward

import "syscall"

// mask sets the umask, which is the whole process's, until restore is called.
func mask(bits int) (restore func()) {
	before := syscall.Umask(bits)
	return func() { syscall.Umask(before) }
}
