// Package fulldisk runs a part of a test as on a disk that is full: no file can grow beyond a
// limit, and what does not fit is cut off in the middle, as with ENOSPC. It needs no root. Tests
// alone use it.
package fulldisk
