package process

import (
	"runtime"
	"sync"
)

// Threads is how many threads a daemon starts early.
const Threads = 32

// StartThreads has Go's runtime start n threads, which it keeps. A thread is needed for each call
// that waits in the kernel, and where an account or a cgroup has used its processes up the runtime
// cannot start one and ends the program ("pthread_create failed"): with those it has, it goes on.
func StartThreads(n int) {
	var all, done sync.WaitGroup
	all.Add(n)
	for range n {
		done.Go(func() {
			runtime.LockOSThread() // a thread of its own, until all have one
			defer runtime.UnlockOSThread()
			all.Done()
			all.Wait()
		})
	}
	done.Wait()
}
