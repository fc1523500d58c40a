// Package quick reads and writes non-blocking descriptors without telling Go's scheduler that a system call is under way.
//
// An ordinary Read or Write announces a call that may block: the first one after a rest wakes the scheduler's watching thread, which then looks
// around every 20 µs for a while. A call on a non-blocking descriptor never blocks, and on a quiet connection that thread's waking cost more than the
// call: a keystroke has four such calls in each program. Waiting happens in Go's poller, as ever, so that deadlines and Close work.
//
// Elsewhere than on Linux everything is left as it is; also under the race detector, which takes ordinary reads and writes for what orders two goroutines.
//
// GrowStack and CalmWatcher are here for the same reason: they make a short life shorter.
package quick
