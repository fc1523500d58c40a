//go:build !linux

package main

// toJournal says whether standard error is a journal's: there is none here.
func toJournal() bool { return false }
