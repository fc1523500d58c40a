package files

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

const nonblock = 0

// renameOpen: Windows renames no file that is open.
const renameOpen = false

func umask() fs.FileMode { return 0 }

// lock: a file that is open cannot be removed or renamed by others, which is enough here.
func lock(*os.File) error { return nil }

func links(*os.File) uint64 { return 1 }

func linkTime(*os.Root, string, time.Time) {}

func noSpace(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}
