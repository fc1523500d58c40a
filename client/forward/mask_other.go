//go:build !unix

package forward

// mask does nothing: this system has no umask.
func mask(int) (restore func()) { return func() {} }
