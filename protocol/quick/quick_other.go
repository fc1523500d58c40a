//go:build !linux || race

package quick

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// Descriptor is not to be had here.
type Descriptor struct{}

// New says that there is no Descriptor here: Read and Write of the file itself will do.
func New(syscall.Conn) (*Descriptor, error) { return nil, errors.ErrUnsupported }

// Read is never called: nobody has a Descriptor.
func (*Descriptor) Read([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Write is never called: nobody has a Descriptor.
func (*Descriptor) Write([]byte) (int, error) { return 0, errors.ErrUnsupported }

// SetPatience says that it cannot be had here.
func SetPatience(net.Conn, time.Duration, func() bool) bool { return false }

// TryWrite is never called: nobody has a Descriptor.
func (*Descriptor) TryWrite([]byte) int { return 0 }

// Conn leaves a connection as it is here.
func Conn(c net.Conn) net.Conn { return c }
