//go:build unix

package fanout

import "golang.org/x/sys/unix"

// mostDescriptors is how many files this process may have open; 0: unknown.
func mostDescriptors() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return int(min(limit.Cur, 1<<20))
}
