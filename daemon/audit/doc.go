// Package audit keeps a record of what was done, and by whom: a file of JSON lines, one for each
// entry.
//
//	log.go     Log: what takes entries, and never waits; who may add how much
//	entry.go   an entry as a line
//	writer.go  the one goroutine that writes: batches, syncs, what to do when it cannot
//	file.go    the file: opened with care, renamed when it is large
//
// A Log holds nobody up. Entries wait in a bounded queue for the writer, which alone touches the
// file. When the queue is full (the disk is, or it hangs), or a user has written more than is his,
// new work is refused, or else entries are dropped and counted, as the administrator has chosen.
//
// Several daemons may write one file (an old one serves its sessions to their end): each batch is
// one write under a lock of the file, and whoever finds it renamed opens the new one. So rotation,
// by a Log or by logrotate(8), needs no signal.
package audit
