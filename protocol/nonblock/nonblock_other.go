//go:build !linux || race

package nonblock

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// Descriptor does not exist on this system.
type Descriptor struct{}

// New always fails on this system: the file's own Read and Write will do.
func New(syscall.Conn) (*Descriptor, error) { return nil, errors.ErrUnsupported }

// Read is never called: nobody has a Descriptor.
func (*Descriptor) Read([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Write is never called: nobody has a Descriptor.
func (*Descriptor) Write([]byte) (int, error) { return 0, errors.ErrUnsupported }

// SetPatience is always false on this system.
func SetPatience(net.Conn, time.Duration, func() bool) bool { return false }

// TryWrite is never called: nobody has a Descriptor.
func (*Descriptor) TryWrite([]byte) int { return 0 }

// Conn returns the connection as it is on this system.
func Conn(c net.Conn) net.Conn { return c }
