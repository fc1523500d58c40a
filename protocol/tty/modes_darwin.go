package tty

import "golang.org/x/sys/unix"

type word = uint64

const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
	disabled   = 255 // _POSIX_VDISABLE

	iuclc, olcuc, xcase = 0, 0, 0 // not on this system
)

var ownCharacters = map[string]int{"vdsusp": unix.VDSUSP, "vstatus": unix.VSTATUS}
