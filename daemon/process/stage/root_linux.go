package stage

import (
	"os"
	"syscall"
	"unsafe"
)

// An account may be confined to a part of the file system (chroot(2)). Its root, and every
// directory above it, is root's and nobody else's to write to, as with sshd's ChrootDirectory. So
// those who are inside can put nothing there that a program of root's would believe, and cannot
// move it. Links are not followed.

// Confine makes a directory this process's root and its current directory.
func Confine(root string) error {
	fd, err := safeRoot(root)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	if err := syscall.Fchdir(fd); err != nil {
		return err
	}
	return syscall.Chroot(".")
}

// safeRoot opens a directory if it may be a root. EPERM: it, or one above it, is not safe.
func safeRoot(root string) (fd int, err error) {
	if root == "" || root[0] != '/' {
		return -1, syscall.EINVAL
	}
	const flags = syscall.O_RDONLY | syscall.O_DIRECTORY | syscall.O_NOFOLLOW | syscall.O_CLOEXEC
	fd, err = syscall.Open("/", flags, 0)
	for rest := root[1:]; ; {
		if err != nil {
			return -1, err
		}
		var info syscall.Stat_t
		if err = syscall.Fstat(fd, &info); err == nil &&
			(info.Uid != 0 || info.Mode&0o022 != 0) {
			err = syscall.EPERM
		}
		if err != nil {
			syscall.Close(fd)
			return -1, err
		}
		name := ""
		if name, rest = component(rest); name == "" {
			return fd, nil
		}
		if name == "." || name == ".." {
			syscall.Close(fd)
			return -1, syscall.EINVAL
		}
		above := fd
		fd, err = syscall.Openat(above, name, flags, 0)
		syscall.Close(above)
	}
}

// component is the first name of a path, "" if there is none, and what follows it.
func component(path string) (name, rest string) {
	for path != "" && path[0] == '/' {
		path = path[1:]
	}
	for i := range len(path) {
		if path[i] == '/' {
			return path[:i], path[i:]
		}
	}
	return path, ""
}

// confinedMark is the first argument of this program when it is started as a helper that confines
// itself: inside, there is no such program to start. As root, and with no environment, it begins
// outside.
const confinedMark = "--minissh-confined"

// confined is the argument vector of a helper that confines itself.
func confined(o *Order) []string {
	own := Order{UID: o.UID, GID: o.GID, Groups: o.Groups, Root: o.Root, Env: o.Env}
	return append([]string{o.Args[0], confinedMark, hex(own.Bytes()[4:])}, o.Args[1:]...)
}

// BeConfined confines this process and makes it the account's, if it was started as such a helper;
// its arguments are then those of any helper. The error is why it must not go on.
func BeConfined() (inside bool, err error) {
	if len(os.Args) < 4 || os.Args[1] != confinedMark {
		return false, nil
	}
	o, ok := ParseOrder(unhex(os.Args[2]))
	if !ok {
		return false, syscall.EINVAL
	}
	if err := Confine(o.Root); err != nil {
		return false, err
	}
	groups := make([]int, len(o.Groups))
	for i, group := range o.Groups {
		groups[i] = int(group)
	}
	// these are about all threads
	if err := syscall.Setgroups(groups); err != nil {
		return false, err
	}
	if err := syscall.Setresgid(int(o.GID), int(o.GID), int(o.GID)); err != nil {
		return false, err
	}
	if err := syscall.Setresuid(int(o.UID), int(o.UID), int(o.UID)); err != nil {
		return false, err
	}
	if _, _, errno := syscall.Syscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0,
		0); errno != 0 {
		return false, errno
	}
	for _, pair := range o.Env {
		for i := range len(pair) {
			if pair[i] == '=' {
				os.Setenv(pair[:i], pair[i+1:])
				break
			}
		}
	}
	os.Args = append(os.Args[:1:1], os.Args[3:]...)
	return true, nil
}

// ids takes on the account's ids, on this thread.
func ids(o *Order) error {
	var groups unsafe.Pointer
	if len(o.Groups) > 0 {
		groups = unsafe.Pointer(&o.Groups[0])
	}
	if _, _, errno := syscall.Syscall(sysSetgroups, uintptr(len(o.Groups)), uintptr(groups),
		0); errno != 0 {
		return errno
	}
	gid, uid := uintptr(o.GID), uintptr(o.UID)
	if _, _, errno := syscall.Syscall(sysSetresgid, gid, gid, gid); errno != 0 {
		return errno
	}
	if _, _, errno := syscall.Syscall(sysSetresuid, uid, uid, uid); errno != 0 {
		return errno
	}
	if _, _, errno := syscall.Syscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0,
		0); errno != 0 {
		return errno
	}
	return nil
}
