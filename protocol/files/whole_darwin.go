package files

import "golang.org/x/sys/unix"

const utimeOmit = -2 // UTIME_OMIT of sys/stat.h

// renameNew renames within a folder unless the new name is taken: unix.EEXIST. Other errors may
// mean that the file system cannot do this.
func renameNew(at int, from, to string) error {
	return unix.RenameatxNp(at, from, at, to, unix.RENAME_EXCL)
}
