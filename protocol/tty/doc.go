// Package tty reads and sets what a terminal is like: its modes by the names that travel in OPEN
// (TE1), and the size of its window. The client asks its user's terminal, the daemon tells the pty
// of a command.
//
// modes.go is the table; modes_linux.go and modes_darwin.go hold what those systems have of their
// own. Elsewhere there is nothing to read or set.
package tty
