// Package logins tells the machine who is logged in on which terminal, as sshd does: in utmp for
// who(1) and w(1), in wtmp for last(1), in lastlog for lastlog(8) and for the next login of the
// account. Only root's daemon on Linux has a Book.
//
//	layout.go      the bytes of an entry, as glibc has them
//	book_linux.go  the Book: what is written now, what waits
//	files_linux.go the three files
//	other.go       where there are none
//
// # What holds
//
//  1. A file that is not there is not made, as with glibc and sshd: then nobody wants it.
//  2. Whoever can read utmp or wtmp, which is everybody, can lock it, and glibc waits for a lock
//     for up to ten seconds. So nothing here waits in the way of a login: a lock is tried once, and
//     then again by a goroutine that nobody waits for, for a second at most. Then the entry is
//     written without it. That is one write, and another writer at the same moment could at worst
//     take the same place: a login that could be hidden by a lock would be worse.
//  3. An entry of ours has a word in the bytes that the layout leaves unused, and the process id of
//     the session's leader. When a daemon has died, its supervisor or the next daemon marks those
//     dead whose leader is gone (sshd leaves them). An older daemon that still serves has living
//     leaders, so its entries stay.
//  4. Nobody marks an entry dead twice: what counts is whether it was still there.
package logins
