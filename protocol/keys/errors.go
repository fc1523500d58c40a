package keys

import (
	"errors"
	"strings"
	"unicode"

	"minissh/protocol"
)

// ErrPassphrase is the cause when a key file is encrypted and nobody gave the right passphrase.
var ErrPassphrase = errors.New("no right passphrase was given")

// Error is a key that cannot be used.
type Error struct {
	Subject string // the file or agent it is about; may be empty
	Msg     string // what is wrong; may have several lines (the warning about modes)
	Advice  string // what to type
	Err     error  // the cause, for errors.Is; its text is not shown
}

func (e *Error) Error() string {
	if e.Subject == "" {
		return e.Msg
	}
	return shown(e.Subject) + ": " + e.Msg
}

// Hint is what the user can type or do next, without the word "hint: "; "" if nothing is known.
func (e *Error) Hint() string { return e.Advice }

func (e *Error) Unwrap() error { return e.Err }

// about adds the name of a file to an error that has none.
func about(path string, err error) error {
	var known *Error
	if errors.As(err, &known) && known.Subject == "" {
		known.Subject = path
	}
	return err
}

// shown is a path as it is where it can be shown, else quoted.
func shown(s string) string {
	if strings.IndexFunc(s, func(r rune) bool {
		return !unicode.IsPrint(r) ||
			r == unicode.ReplacementChar
	}) < 0 {
		return s
	}
	return protocol.Quote(s)
}
