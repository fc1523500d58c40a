//go:build !linux && !windows

package process

func unspare(int) {}
