// Package conform grades another implementation of the pages in protocol/, rule by rule:
// a daemon by talking to it, a client by being its daemon.
//
//	report.go    Result, Report: what became of each probe, and of each rule
//	trial.go     one probe's run, and how it ends
//	talk.go      a link to the daemon under test, frame by frame
//	order.go     what every frame of a daemon must keep, whatever is being tried
//	program.go   the program under test, and its end
//	daemon*.go   the probes of a daemon
//	client*.go   the probes of a client: each is a daemon that says something
//	vectors.go   probes made of the test vectors
//	unseen.go    the rules that are not tried, and why
//
// A probe asks for one rule. It holds, it fails with the bytes that show it, or it was not
// reached, with the reason: what was not tried is never called good. Waiting is only for what
// must come, and has a stated patience; that nothing comes is shown by an answer to a later
// PING, not by a time.
package conform
