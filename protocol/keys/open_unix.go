//go:build unix

package keys

import "syscall"

// nonBlock keeps the opening of a FIFO from waiting for its other end.
const nonBlock = syscall.O_NONBLOCK
