// Package record runs one setting of the web lab on real sockets and writes down
// what happened.
//
//	setting.go   Setting: what is run, and its limits
//	trace.go     Trace: what was seen, ready for JSON
//	framing.go   a message's bytes on the wire, labelled, and the sends that carry them
//	reader.go    the receiving programs: what each asks recv for, what it takes for a message
//	run.go       one connection: the loop that calls whoever is due
//	acts.go      what they do: send, close, recv, acknowledge
//	look.go      what the kernel tells between two calls
//	path.go      what is between the two ends: loopback alone, or a relay that holds bytes back
//	buffers_*.go small socket buffers, so that a window can be full
//
// The sender and the receiver of a run are called by one loop, in the order of
// their schedule: whoever is due first, at the same moment the sender. So it is
// the schedule that decides what sticks, never chance. What the kernel then does is
// looked at between any two calls (package probe) and recorded as it was seen: a
// step in which more than one segment left has no boundaries, because none were seen.
//
// A latency is simulated, by a relay of the lab's own: what the two programs do is as far apart as
// on a long way, but each TCP connection is a short one, and acknowledges and opens its window as
// such. So what TCP itself tells is recorded only where there is no latency.
package record
