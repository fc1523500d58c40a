//go:build !unix

package daemon

func withUmask(_ int, f func() error) error { return f() }
