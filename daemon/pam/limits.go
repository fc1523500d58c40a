//go:build linux && pam

package pam

// #include <sys/resource.h>
//
// static struct rlimit began;
//
// __attribute__((constructor)) static void note_began(void) {
//	if (getrlimit(RLIMIT_NOFILE, &began) != 0) began.rlim_max = 0;
// }
//
// static unsigned long long began_cur(void) { return began.rlim_cur; }
// static unsigned long long began_max(void) { return began.rlim_max; }
import "C"

import (
	"fmt"

	"golang.org/x/sys/unix"

	"minissh/daemon/process/stage"
)

// mostResources is how many limits Linux has (getrlimit(2), RLIM_NLIMITS).
const mostResources = 16

// limitsNow are this process's limits, as they were before Go raised that of open files: modules
// begin with those.
func limitsNow() []unix.Rlimit {
	began := unix.Rlimit{Cur: uint64(C.began_cur()), Max: uint64(C.began_max())}
	if began.Max > 0 {
		unix.Prlimit(0, unix.RLIMIT_NOFILE, &began, nil)
	}
	all := make([]unix.Rlimit, mostResources)
	for i := range all {
		unix.Getrlimit(i, &all[i])
	}
	return all
}

// takeLimits are the limits that modules have set, and that of open files. They are for commands,
// not for this process, which gets those back that it had. The error is for those of memory: a Go
// program maps more than a gigabyte, most of which it never uses, and stages are such programs.
func takeLimits(before []unix.Rlimit) (set []stage.Limit, err error) {
	for i, was := range before {
		var now unix.Rlimit
		// that of open files is always among them: each Go program raises it for itself
		if unix.Getrlimit(i, &now) != nil || now == was && i != unix.RLIMIT_NOFILE {
			continue
		}
		limit := stage.Limit{Resource: uint32(i), Cur: now.Cur, Max: now.Max}
		set = append(set, limit)
		refused := unix.Prlimit(0, i, &was, nil)
		if refused != nil && limit.OfMemory() && now.Max < mapsAtMost {
			err = fmt.Errorf("a module sets a hard limit of memory (as or data in "+
				"limits.conf) of %d MiB, and minisshd may not raise its own again: it lacks "+
				"CAP_SYS_RESOURCE", now.Max>>20)
		}
	}
	return set, err
}

// mapsAtMost is what a Go program surely maps less than when it starts.
const mapsAtMost = 4 << 30
