//go:build unix

package server

import (
	"sync"
	"syscall"
)

// umaskMu: all goroutines share one umask.
var umaskMu sync.Mutex

// ownersAlone runs f, and what it makes is its owner's alone: a socket must not be open to others
// between its bind and its chmod. Another goroutine's folder made meanwhile is its owner's, too.
func ownersAlone(f func()) {
	umaskMu.Lock()
	defer umaskMu.Unlock()
	defer syscall.Umask(syscall.Umask(0o077))
	f()
}
