// Package tty reads and sets a terminal's modes, by the names that travel in OPEN (TE1), and the
// size of its window. The client reads its user's terminal, the daemon sets a command's pty.
//
// modes.go is the table; modes_linux.go and modes_darwin.go hold what those systems add. Elsewhere
// there is nothing to read or set.
package tty
