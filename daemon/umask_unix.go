//go:build unix

package daemon

import "syscall"

// withUmask runs f under a umask. The daemon has one umask for all its goroutines: this is for its start only.
func withUmask(mask int, f func() error) error {
	defer syscall.Umask(syscall.Umask(mask))
	return f()
}
