package main

import (
	"fmt"
	"os"
	"syscall"
)

// toJournal says whether standard error is a stream of the journal's: JOURNAL_STREAM holds its device and inode (systemd.exec(5)).
func toJournal() bool {
	var st syscall.Stat_t
	return syscall.Fstat(2, &st) == nil && os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", st.Dev, st.Ino)
}
