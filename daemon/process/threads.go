package process

import (
	"runtime"
	"sync"
)

// Threads is how many threads a daemon starts early.
const Threads = 32

// StartThreads makes Go's runtime start n threads, which it keeps. Each call that waits in the
// kernel needs a thread. When an account or a cgroup has used up its processes, the runtime cannot
// start one and ends the program ("pthread_create failed"); with those that it has, it goes on.
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
