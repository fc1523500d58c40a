//go:build !linux

package process

import "minissh/daemon/process/stage"

func (*Spec) limit() error { return nil }

// MemoryLimits has nothing to return.
func (Account) MemoryLimits() []stage.Limit { return nil }
