package process

import (
	"bytes"
	"os"
)

// maxReport bounds what is read of a report: far above two of the longest
// paths, and no more than a pipe holds.
const maxReport = 64 << 10

// readReport reads what lies in the report pipe now. It never waits for the
// end: a background child may hold the other end for days, and the shell wrote
// its report before it ended.
func readReport(f *os.File) (dir, oldDir []byte) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, nil
	}
	var data []byte
	raw.Control(func(fd uintptr) { data = readAvailable(int(fd), maxReport) })
	return parseReport(data)
}

// parseReport takes the last complete pair of NUL-terminated strings. Only an
// absolute path is a directory; anything else, also what the line's own
// programs may have written to descriptor 3, means no report.
func parseReport(data []byte) (dir, oldDir []byte) {
	parts := bytes.Split(data, []byte{0})
	if len(parts) < 3 || len(parts[len(parts)-1]) != 0 {
		return nil, nil
	}
	dir, oldDir = parts[len(parts)-3], parts[len(parts)-2]
	if len(dir) == 0 || dir[0] != '/' {
		return nil, nil
	}
	if len(oldDir) == 0 || oldDir[0] != '/' {
		oldDir = nil
	}
	return dir, oldDir
}
