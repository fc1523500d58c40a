//go:build !linux

package transport

// HoldBack does nothing here.
func (c *Conn) HoldBack() {}
