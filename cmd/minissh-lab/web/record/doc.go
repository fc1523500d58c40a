// Package record runs one setting of the web lab on real sockets and writes down
// what happened.
//
//	setting.go   Setting: what is run, and its limits
//	trace.go     Trace: what was seen, ready for JSON
//	framing.go   a message's bytes on the wire, labelled, and the sends that carry them
//	reader.go    the receiving programs: what each asks recv for, what it takes for a message
//	run.go       one connection: the loop that sends, looks and receives
//
// The sender and the receiver of a run are called by one loop, in the order of
// their schedule: whoever is due first, at the same moment the sender. So it is
// the schedule that decides what sticks, never chance. What the kernel then does is
// looked at between any two calls (package probe) and recorded as it was seen: a
// step in which more than one segment left has no boundaries, because none were seen.
package record
