//go:build !unix

package run

import "minissh/protocol/mux"

// TellStops does nothing: this system has no Ctrl-Z.
func TellStops(*mux.Session) (end func()) { return func() {} }
