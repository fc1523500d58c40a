// Package check attacks a learner's own program, in any language, and says what it
// sent, what it expected, what came, and which misconception that usually is.
//
//	check.go      Options, Run: the cases one after the other
//	table.go      which lesson has which cases
//	cause/        which bug the evidence shows, and what people believe about it
//	program.go    the learner's program: its own session, bounded output, ended with its children
//	wait.go       what a program does when it should end: ends, spins, hangs, goes on
//	timers*.go    which of its threads wait for a time: whether it may yet end by itself
//	server*.go    attacks on servers
//	client*.go    attacks on clients; the lab serves and types at the prompt
//	experiment.go what is tried to tell bugs apart
//	diagnose.go   what the program itself says: its error, and whether it crashed
//	alone.go      a program that only computes
//	beyond*.go    the lessons beyond the course
//	own*.go       the last lesson: a client of minisshd
//
// The learner's program is trusted with nothing: its output is bounded and quoted,
// every wait has a limit, its folder is a fresh one.
package check
