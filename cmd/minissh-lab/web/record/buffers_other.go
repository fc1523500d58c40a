//go:build !unix && !windows

package record

import "syscall"

// sendBuffer leaves it as it is on this system.
func sendBuffer(int) func(network, address string, c syscall.RawConn) error { return nil }

// receiveBuffer leaves it as it is on this system.
func receiveBuffer(int) func(network, address string, c syscall.RawConn) error { return nil }
