//go:build !linux && unix

package process

// withKeyring runs start; only Linux has keyrings.
func withKeyring(_ *Credential, start func()) { start() }
