//go:build !unix

package client

import (
	"os"
	"syscall"
)

var terminalSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}

// These do not exist here; nothing sends them.
const (
	signalWinch = syscall.Signal(-1)
	signalTstp  = syscall.Signal(-2)
	signalCont  = syscall.Signal(-3)
)

// stopSelf does nothing here.
func stopSelf(chan os.Signal) {}

// inForeground is not known here; a console has no background.
func inForeground(*os.File) bool { return true }
