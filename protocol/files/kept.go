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

// replaced says what would stay of the file that has a name in a folder, nil if it is not a file;
// or why it may not be replaced.
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

// handsOver says whether a file in a sticky folder that others can write into belongs neither to us
// nor to the folder's owner. Somebody could have put it there to be given what is written. The
// kernel refuses to open such a file for writing (protected_regular in proc_sys_fs(5)); to replace
// it and leave the new one to its owner would be the same.
func handsOver(folder fs.FileMode, folderUID, uid int) bool {
	return folder&fs.ModeSticky != 0 && folder.Perm()&0o022 != 0 && uid != os.Geteuid() &&
		uid != folderUID
}

var errHandsOver = &Error{
	Code: CodeNoPermission,
	Message: "it would replace another user's file, in a folder where others may write, " +
		"and would then belong to that user: remove that file first",
}

// give gives a new file the replaced one's owner and mode, as far as our rights go, and returns its
// mode. If its group cannot be kept, ours gets no more than everybody.
func (k *kept) give(f *os.File) fs.FileMode {
	mode := k.mode
	if chown(f, k.uid, k.gid) != nil && chown(f, -1, k.gid) != nil {
		mode &^= 0o070 &^ (mode & 0o007 << 3)
	}
	return mode
}
