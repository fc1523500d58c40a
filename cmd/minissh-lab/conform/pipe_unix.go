//go:build unix

package conform

import "golang.org/x/sys/unix"

// makePipe makes a named pipe that nobody has open.
func makePipe(path string) error { return unix.Mkfifo(path, 0o600) }
