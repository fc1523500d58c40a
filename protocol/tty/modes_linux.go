package tty

import "golang.org/x/sys/unix"

type word = uint32

const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
	disabled   = 0 // _POSIX_VDISABLE

	iuclc = unix.IUCLC
	olcuc = unix.OLCUC
	xcase = unix.XCASE
)

var ownCharacters = map[string]int{"vswtch": unix.VSWTC}
