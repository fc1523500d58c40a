//go:build !linux

package terminal

import (
	"io"
	"os"
)

// Output is a writer to a file of another process's. On this system nothing ends a Write that waits
// for a reader.
func Output(f *os.File) io.WriteCloser { return kept{f} }
