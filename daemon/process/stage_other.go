//go:build !linux

package process

import "context"

// hasStages: without /proc a program does not find itself. What hangs at its start holds a thread.
const hasStages = false

func startStaged(_ context.Context, spec Spec) (*Process, error) { panic("no stages here") }

// KeepReady does nothing where there are no stages.
func KeepReady() {}

// EndReady does nothing, as KeepReady.
func EndReady() {}
