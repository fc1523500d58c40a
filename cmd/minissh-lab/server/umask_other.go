//go:build !unix

package server

// ownersAlone runs f: this system has no umask.
func ownersAlone(f func()) { f() }
