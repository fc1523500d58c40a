package check

import "golang.org/x/sys/unix"

// memoryLimit is how much a program may allocate, in bytes: more than any message of a check, less
// than a length of 2^31-1 that should have been refused.
const memoryLimit = 1 << 30

// boundMemory has the system refuse a program more than memoryLimit of its own data (setrlimit(2),
// RLIMIT_DATA: what is only reserved does not count, which Java and Go do a lot of).
func boundMemory(pid int) {
	limit := unix.Rlimit{Cur: memoryLimit, Max: memoryLimit}
	unix.Prlimit(pid, unix.RLIMIT_DATA, &limit, nil) // without it the length itself is still judged
}
