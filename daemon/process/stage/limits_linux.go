package stage

import (
	"syscall"
	"unsafe"
)

// limit sets the program's limits, while this is still root, who may raise them. Those of memory
// are only made possible: with them this process, a Go program, might not get as far as the
// program.
func limit(limits []Limit) error {
	for _, l := range limits {
		set := syscall.Rlimit{Cur: l.Cur, Max: l.Max}
		if l.OfMemory() {
			if err := syscall.Getrlimit(int(l.Resource), &set); err != nil {
				return err
			}
			set.Max = max(set.Max, l.Max)
		}
		// it also keeps syscall.Exec from setting RLIMIT_NOFILE to what it was at the start
		if err := syscall.Setrlimit(int(l.Resource), &set); err != nil {
			return err
		}
	}
	return nil
}

// execute tells the daemon that the program is executed next, and does that. It returns only if
// that failed.
func execute(path string, args, env []string, limits []Limit, fd int) (Step, error) {
	var last [2]Limit
	n := 0
	for _, l := range limits {
		if l.OfMemory() && n < len(last) {
			last[n] = l
			n++
		}
	}
	if n == 0 {
		tell(fd, used())
		return StepExec, syscall.Exec(path, args, env)
	}
	// From here on no memory is asked for.
	name, err := syscall.BytePtrFromString(path)
	if err != nil {
		return StepExec, err
	}
	argv, err := syscall.SlicePtrFromStrings(args)
	if err != nil {
		return StepExec, err
	}
	envp, err := syscall.SlicePtrFromStrings(env)
	if err != nil {
		return StepExec, err
	}
	tell(fd, used())
	for _, l := range last[:n] {
		values := [2]uint64{l.Cur, l.Max}
		if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, 0, uintptr(l.Resource),
			uintptr(unsafe.Pointer(&values)), 0, 0, 0); errno != 0 {
			return StepBecome, errno
		}
	}
	_, _, errno := syscall.RawSyscall(syscall.SYS_EXECVE, uintptr(unsafe.Pointer(name)),
		uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&envp[0])))
	return StepExec, errno
}
