package authorized

import (
	"io/fs"
	"os"
)

// lock opens a file. It does not lock: of two edits at once, one may be lost.
func lock(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) }

func syncDir(string) error { return nil }

const nonBlocking = 0

// check accepts everything: Go's file modes do not show Windows' access lists.
func (Owner) check(string, fs.FileInfo) error { return nil }
