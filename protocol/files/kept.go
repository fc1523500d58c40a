package files

import (
	"io/fs"
	"os"
)

// kept is what stays of a file that another one replaces: who may do what with it (FI7).
type kept struct {
	mode     fs.FileMode // permission bits
	uid, gid int
}

// replaced says what would stay of what has a name in a folder, nil if that is not a file; or why
// it may not be replaced.
func replaced(dir *os.Root, base string) (*kept, error) {
	info, err := dir.Lstat(base)
	switch {
	case err != nil:
		return nil, nil
	case special(info.Mode()):
		return nil, errSpecial(info.Mode())
	case !info.Mode().IsRegular():
		return nil, nil
	}
	uid, gid, known := owner(info)
	if !known {
		return nil, nil
	}
	if above, err := dir.Stat("."); err == nil {
		if aboveUID, _, known := owner(above); known && handsOver(above.Mode(), aboveUID, uid) {
			return nil, errHandsOver
		}
	}
	return &kept{mode: info.Mode().Perm(), uid: uid, gid: gid}, nil
}

// handsOver says whether a file is another user's in a folder that others can write into, and whose
// files are their owners' alone: one could be put there to be given what is written. The kernel
// refuses to open such a file for writing (protected_regular in proc_sys_fs(5)); to replace it,
// and let its owner have it, is the same.
func handsOver(folder fs.FileMode, folderUID, uid int) bool {
	return folder&fs.ModeSticky != 0 && folder.Perm()&0o022 != 0 && uid != os.Geteuid() &&
		uid != folderUID
}

var errHandsOver = &Error{
	Code: CodeNoPermission,
	Message: "it would replace another user's file, in a folder where others may write, " +
		"and be that user's: remove that file first",
}

// give makes a new file what the replaced one was, as far as our rights go, and returns its mode.
// Where its group cannot be kept, ours gets no more than everybody.
func (k *kept) give(f *os.File) fs.FileMode {
	mode := k.mode
	if chown(f, k.uid, k.gid) != nil && chown(f, -1, k.gid) != nil {
		mode &^= 0o070 &^ (mode & 0o007 << 3)
	}
	return mode
}
