package protocol

import (
	"fmt"
	"slices"
)

// Limits of TE1.
const (
	MaxTerm  = 64
	MaxModes = 128
)

// PTY asks for a terminal (TE1).
type PTY struct {
	Term Bytes `json:"term,omitempty"` // TERM there; none: dumb
	Size
	// terminal modes of RFC 4254 section 8, by lower-case name
	Modes map[string]int64 `json:"modes,omitempty"`
}

// Size is the size of a terminal's window, in PTY and as the payload of RESIZE (TE2). 0 means
// unknown.
type Size struct {
	Rows   int64 `json:"rows"`
	Cols   int64 `json:"cols"`
	Width  int64 `json:"width_px"`
	Height int64 `json:"height_px"`
}

// Valid says whether every number is one that a terminal can have.
func (s Size) Valid() bool {
	for _, n := range []int64{s.Rows, s.Cols, s.Width, s.Height} {
		if n < 0 || n > 65535 {
			return false
		}
	}
	return true
}

// Check finds what in a PTY breaks TE1; the error is for a refusal as bad_request.
func (p *PTY) Check() error {
	switch {
	case !ValidTerm(string(p.Term)):
		return fmt.Errorf("the terminal's name is not at most %d of A-Z a-z 0-9 . _ + : @ -",
			MaxTerm)
	case !p.Size.Valid():
		return fmt.Errorf("the terminal's size is out of range")
	case len(p.Modes) > MaxModes:
		return fmt.Errorf("more than %d terminal modes", MaxModes)
	}
	for name, value := range p.Modes {
		most, known := modeMost(name)
		if known && (value < 0 || value > most) {
			return fmt.Errorf("the terminal mode %s is out of range", name)
		}
	}
	return nil
}

// The terminal modes of RFC 4254 section 8 and RFC 8160, except the speeds, which a pty does not
// have.
var (
	modeCharacters = []string{
		"vintr", "vquit", "verase", "vkill", "veof", "veol", "veol2", "vstart", "vstop", "vsusp",
		"vdsusp", "vreprint", "vwerase",
		"vlnext", "vflush", "vswtch", "vstatus", "vdiscard",
	}
	modeSwitches = []string{
		"ignpar", "parmrk", "inpck", "istrip", "inlcr", "igncr", "icrnl", "iuclc", "ixon", "ixany",
		"ixoff", "imaxbel", "iutf8",
		"isig", "icanon", "xcase", "echo", "echoe", "echok", "echonl", "noflsh", "tostop", "iexten",
		"echoctl", "echoke", "pendin",
		"opost", "olcuc", "onlcr", "ocrnl", "onocr", "onlret", "cs7", "cs8", "parenb", "parodd",
	}
)

// modeMost is the largest value of a terminal mode; an unknown mode is ignored, whatever its value
// (TE1).
func modeMost(name string) (most int64, known bool) {
	switch {
	case slices.Contains(modeCharacters, name):
		return 255, true
	case slices.Contains(modeSwitches, name):
		return 1<<32 - 1, true
	}
	return 0, false
}

// ValidTerm says whether a terminal's name may be sent (TE1); the empty one may.
func ValidTerm(name string) bool {
	for _, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '.' && c != '_' && c != '+' && c != ':' && c != '@' && c != '-' {
			return false
		}
	}
	return len(name) <= MaxTerm
}
