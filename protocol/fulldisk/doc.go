// Package fulldisk runs a part of a test as if the disk were full: no file can grow beyond a limit,
// and what does not fit is cut off in the middle, as with ENOSPC. It does not need root. Only tests
// use it.
package fulldisk
