//go:build !linux

package process

import "minissh/daemon/process/stage"

func (*Spec) limit() error { return nil }

// MemoryLimits are none.
func (Account) MemoryLimits() []stage.Limit { return nil }
