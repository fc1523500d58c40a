//go:build !unix

package transport

import "os"

// keyLogFlags: links are found by OpenKeyLog itself.
const keyLogFlags = 0

// keyLogFault finds nothing: on this system a file's access list says who may read it, and a new
// file has its directory's.
func keyLogFault(string, os.FileInfo) (reason, advice string) { return "", "" }
