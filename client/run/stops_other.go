//go:build !unix

package run

// TellStops does nothing: this system has no Ctrl-Z.
func TellStops(func(stopping bool)) (end func()) { return func() {} }
