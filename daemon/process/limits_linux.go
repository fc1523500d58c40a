package process

import (
	"os"
	"slices"

	"minissh/daemon/process/stage"
)

// limit makes a command begin with its limits of memory: this program executes it.
func (s *Spec) limit() error {
	if len(s.Limits) == 0 {
		return nil
	}
	self, err := selfPath()
	if err != nil {
		return &StartError{"start", s.Path, err}
	}
	s.Path, s.Args = self, stage.Limited(os.Args[0], s.Limits, s.Path, s.Args)
	return nil
}

// MemoryLimits are the limits of an account's Origin that helpers do not have: what they start
// should have them.
func (a Account) MemoryLimits() []stage.Limit {
	if a.Credential == nil || a.Credential.Origin == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(a.Credential.Origin.Limits()),
		func(l stage.Limit) bool { return !l.OfMemory() })
}
