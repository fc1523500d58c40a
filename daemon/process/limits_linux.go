package process

import (
	"os"
	"slices"

	"golang.org/x/sys/unix"

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

// MemoryLimits are the limits of an account's Origin that helpers do not have, for what they start
// (Spec.Limits); none if they have all.
func (a Account) MemoryLimits() []stage.Limit {
	if a.Credential == nil || a.Credential.Origin == nil {
		return nil
	}
	all := a.Credential.Origin.Limits()
	if !slices.ContainsFunc(all, stage.Limit.OfMemory) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(all), func(l stage.Limit) bool {
		return !l.OfMemory() && l.Resource != unix.RLIMIT_NOFILE
	})
}
