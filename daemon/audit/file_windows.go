package audit

import (
	"io/fs"
	"os"
)

const openFlags = 0

// There is one daemon, which nothing replaces.
func lock(*os.File) error        { return nil }
func unlock(*os.File)            {}
func ownedByUs(fs.FileInfo) bool { return true }
