// Command testrun is scripts/test: every check and test of the tree in one run, one line for each
// step.
//
// A step (steps.go) is a named check. The Go tests' events are read and counted in tally.go, which
// also holds the rule for skipped tests: their reason begins with "not run:", and then they are
// listed at the end with it; a test skipped for any other reason has failed. fuzz.go finds every
// fuzz target and runs each for a short time. programs.go holds the one list of real programs that
// tests drive, and installs them.
//
// The last line is `N passed, N failed, N skipped`: the Go tests (subtests counted, a test that ran
// twice counted once), and a failure for each step that failed otherwise.
package main
