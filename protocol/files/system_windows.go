package files

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

const nonblock = 0

// renameOpen: Windows does not rename a file that is open.
const renameOpen = false

func umask() fs.FileMode { return 0 }

// lock: a file that is open cannot be removed or renamed by others, which is enough here.
func lock(*os.File) error { return nil }

func links(*os.File) uint64 { return 1 }

func linkTime(*os.Root, string, time.Time) error { return nil }

func noSpace(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

// owner is unknown on this system: a file that is replaced gets what its folder gives.
func owner(fs.FileInfo) (uid, gid int, known bool) { return 0, 0, false }

func chown(*os.File, int, int) error { return nil }

// identify is the file that a name in a folder leads to. Windows tells that of open files only.
func identify(dir *os.Root, base string) (id fileID, ok bool) {
	f, err := dir.Open(base)
	if err != nil {
		return id, false
	}
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return id, false
	}
	raw.Control(func(fd uintptr) {
		var info windows.ByHandleFileInformation
		if ok = windows.GetFileInformationByHandle(windows.Handle(fd), &info) == nil; ok {
			id = fileID{uint64(info.VolumeSerialNumber),
				uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow)}
		}
	})
	return id, ok
}
