//go:build !unix

package run

import "minissh/protocol/mux"

// tellStops does nothing: this system has no Ctrl-Z.
func tellStops(*mux.Session) (end func()) { return func() {} }
