package files

import "golang.org/x/sys/unix"

const utimeOmit = unix.UTIME_OMIT
