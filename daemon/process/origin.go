package process

import "minissh/daemon/process/stage"

// Origin is a process that an account's commands and helpers descend from, in place of the daemon:
// what a process inherits, they have from it, such as limits, the audit session and a cgroup. The
// daemon is nevertheless their parent. It is for Linux (package pam).
type Origin interface {
	// Fork starts this program as a stage (ForkStage) that is this process's child. pidfd is -1
	// where the kernel has none. If lasts is set, the origin stays until that process has ended.
	Fork(socket int, lasts bool) (pid, pidfd int, err error)
	// Limits are those that a command gets, where they are not the daemon's.
	Limits() []stage.Limit
	// Environment is what a command's environment has from here, "NAME=value" each.
	Environment() []string
	// Placed says that the system has chosen a cgroup: the daemon does not choose another.
	Placed() bool
}
