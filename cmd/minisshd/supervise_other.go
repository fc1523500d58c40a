//go:build !linux

package main

import "github.com/urfave/cli/v2"

const hasSupervisor = false

// superviseDaemon is never called.
func superviseDaemon(*cli.Context) error { return errSilent }

// ofSupervisor knows none.
func ofSupervisor(string, int) bool { return false }
