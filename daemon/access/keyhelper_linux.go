package access

import "golang.org/x/sys/unix"

// privileged says whether this thread may still do what only root may: SECBIT_NO_SETUID_FIXUP keeps
// that through a change of ids (capabilities(7)). If that is unknown, the answer is yes.
func privileged() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	return unix.Capget(&header, &data[0]) != nil || data[0].Effective != 0 || data[1].Effective != 0
}
