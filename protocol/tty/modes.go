//go:build linux || darwin

package tty

import (
	"golang.org/x/sys/unix"

	"minissh/protocol"
)

// none is how "no such character" is written on the wire (RFC 4254 section 8).
const none = 255

// switches are the modes that are on or off: by name, the word of termios that holds it, and its
// bit. Parity, character size and speed are left out: a pty does not have them.
var switches = map[string]struct {
	word func(*unix.Termios) *word
	bit  word
}{
	"ignpar": {input, unix.IGNPAR}, "parmrk": {input, unix.PARMRK}, "inpck": {input, unix.INPCK},
	"istrip": {input, unix.ISTRIP},
	"inlcr":  {input, unix.INLCR}, "igncr": {input, unix.IGNCR}, "icrnl": {input, unix.ICRNL},
	"iuclc": {input, iuclc},
	"ixon":  {input, unix.IXON}, "ixany": {input, unix.IXANY}, "ixoff": {input, unix.IXOFF},
	"imaxbel": {input, unix.IMAXBEL},
	"iutf8":   {input, unix.IUTF8},

	"isig": {local, unix.ISIG}, "icanon": {local, unix.ICANON}, "xcase": {local, xcase},
	"echo":  {local, unix.ECHO},
	"echoe": {local, unix.ECHOE}, "echok": {local, unix.ECHOK}, "echonl": {local, unix.ECHONL},
	"noflsh": {local, unix.NOFLSH},
	"tostop": {local, unix.TOSTOP}, "iexten": {local, unix.IEXTEN},
	"echoctl": {local, unix.ECHOCTL}, "echoke": {local, unix.ECHOKE},
	"pendin": {local, unix.PENDIN},

	"opost": {output, unix.OPOST}, "olcuc": {output, olcuc}, "onlcr": {output, unix.ONLCR},
	"ocrnl": {output, unix.OCRNL},
	"onocr": {output, unix.ONOCR}, "onlret": {output, unix.ONLRET},
}

// characters are the control characters: by name, their place in termios.
var characters = map[string]int{
	"vintr": unix.VINTR, "vquit": unix.VQUIT, "verase": unix.VERASE, "vkill": unix.VKILL,
	"veof": unix.VEOF, "veol": unix.VEOL,
	"veol2": unix.VEOL2, "vstart": unix.VSTART, "vstop": unix.VSTOP, "vsusp": unix.VSUSP,
	"vreprint": unix.VREPRINT,
	"vwerase":  unix.VWERASE, "vlnext": unix.VLNEXT, "vdiscard": unix.VDISCARD,
}

func input(t *unix.Termios) *word  { return &t.Iflag }
func local(t *unix.Termios) *word  { return &t.Lflag }
func output(t *unix.Termios) *word { return &t.Oflag }

// Modes reads the modes of the terminal fd; nil if fd is not a terminal.
func Modes(fd int) map[string]int64 {
	t, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil
	}
	modes := make(map[string]int64, len(switches)+len(characters)+len(ownCharacters))
	for name, s := range switches {
		if s.bit == 0 {
			continue
		}
		modes[name] = 0
		if *s.word(t)&s.bit != 0 {
			modes[name] = 1
		}
	}
	each(func(name string, at int) {
		if modes[name] = int64(t.Cc[at]); t.Cc[at] == disabled {
			modes[name] = none
		}
	})
	return modes
}

// SetModes gives the terminal fd these modes. Names that are unknown, or that this system lacks,
// are skipped.
func SetModes(fd int, modes map[string]int64) error {
	t, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return err
	}
	for name, s := range switches {
		if value, ok := modes[name]; ok {
			*s.word(t) &^= s.bit
			if value != 0 {
				*s.word(t) |= s.bit
			}
		}
	}
	each(func(name string, at int) {
		if value, ok := modes[name]; ok {
			if t.Cc[at] = byte(value); value == none {
				t.Cc[at] = disabled
			}
		}
	})
	return unix.IoctlSetTermios(fd, setTermios, t)
}

func each(do func(name string, at int)) {
	for name, at := range characters {
		do(name, at)
	}
	for name, at := range ownCharacters {
		do(name, at)
	}
}

// Size reads the size of the terminal's window; zero if fd is not a terminal.
func Size(fd int) protocol.Size {
	w, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
	if err != nil {
		return protocol.Size{}
	}
	return protocol.Size{Rows: int64(w.Row), Cols: int64(w.Col), Width: int64(w.Xpixel),
		Height: int64(w.Ypixel)}
}

// SetSize gives the terminal's window a valid size (protocol.Size.Valid); the foreground process
// group gets WINCH if it differs.
func SetSize(fd int, s protocol.Size) error {
	return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ,
		&unix.Winsize{Row: uint16(s.Rows), Col: uint16(s.Cols), Xpixel: uint16(s.Width),
			Ypixel: uint16(s.Height)})
}
