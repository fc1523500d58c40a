package options

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Hinter is implemented by every error of this package. Hint is what the user can type or do next,
// without the word "hint: "; "" if nothing is known.
type Hinter interface {
	error
	Hint() string
}

// UsageError is a command line that cannot be understood.
type UsageError struct {
	Msg     string
	Advice  string
	Outcome string // the file of --outcome, if that was read before; "" if not
}

func (e *UsageError) Error() string { return e.Msg }

// Hint implements Hinter.
func (e *UsageError) Hint() string { return e.Advice }

// ConfigError is a configuration file, or a line of it, that cannot be used.
type ConfigError struct {
	File   string
	Line   int // from 1; 0 when the file as a whole is meant
	Msg    string
	Advice string
}

func (e *ConfigError) Error() string {
	if e.Line == 0 {
		return shown(e.File) + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d: %s", shown(e.File), e.Line, e.Msg)
}

// Hint implements Hinter.
func (e *ConfigError) Hint() string { return e.Advice }

// UnsupportedError is one of ssh's options that this version refuses, because ignoring it would do
// something else than was asked.
type UnsupportedError struct {
	Option string // as people write it: "-J", "-o ProxyJump", "FILE:3: ProxyJump"
	What   string // what it asks for, in parentheses
	Msg    string // the whole text instead of these, if it is not empty
	Advice string
}

func (e *UnsupportedError) Error() string {
	if e.Msg != "" {
		return e.Msg
	}
	return fmt.Sprintf("%s is not in this version (%s)", e.Option, e.What)
}

// Hint implements Hinter.
func (e *UnsupportedError) Hint() string { return e.Advice }

const helpHint = "minissh --help"

func usage(advice, format string, args ...any) error {
	return &UsageError{Msg: fmt.Sprintf(format, args...), Advice: advice}
}

// shown is s as it is if every character is printable, quoted otherwise, so that no control
// character of an argument or a file reaches the terminal.
func shown(s string) string {
	if s == "" || !utf8.ValidString(s) ||
		strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}
