package probe

import "golang.org/x/sys/unix"

const fionread = unix.TIOCINQ // tcp(7): SIOCINQ
