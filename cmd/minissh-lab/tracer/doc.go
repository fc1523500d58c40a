// Package tracer sees the send and recv calls of a program that the lab itself starts, with strace:
// on Linux, where it is there and allowed.
//
//	parse.go          a line of strace's into a Call
//	tracer_linux.go   the command line around a program, and the pipe that its lines come through
//	tracer_other.go   systems without it
//
// strace is asked for no bytes (-s 0): what a program sends cannot look like a line of it.
package tracer
