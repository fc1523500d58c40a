package main

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is CLOCK_MONOTONIC, by which a service manager recognizes an old message.
func monotonic() time.Duration {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return 0
	}
	return time.Duration(now.Nano())
}

// toJournal says whether standard error is one of the journal's streams: JOURNAL_STREAM holds its
// device and inode (systemd.exec(5)).
func toJournal() bool {
	var st syscall.Stat_t
	return syscall.Fstat(2, &st) == nil && os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d",
		st.Dev, st.Ino)
}
