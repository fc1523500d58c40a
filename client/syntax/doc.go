// Package syntax says where a command ends that takes several lines: in what way, depends on the
// shell that runs it. It judges nothing: what it does not understand is complete, and the shell has
// the last word.
//
// command.go is for sh, bash, zsh and all that are like them; fish.go is for fish. words.go knows
// their quotes, for those who look at the words of one line.
package syntax
