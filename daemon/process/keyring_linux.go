package process

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// withKeyring runs start, which forks. What runs as another account begins with a session keyring of its own (session-keyring(7)), as
// pam_keyinit gives it to logins: otherwise it would hold the daemon's, and all accounts could use and change the keys in it. Where the kernel has or
// allows no keyrings, there is nothing to share. A command of the daemon's own account keeps the daemon's keyring, and so does one of root, who may use every other's.
func withKeyring(as *Credential, start func()) {
	if as == nil || as.UID == 0 {
		start()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // a keyring is a thread's; this thread ends with its goroutine, so that no other of the daemon's work holds it
		unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0)
		start()
	}()
	<-done
}
