package client

import (
	"errors"
	"fmt"
	"io"

	"minissh/client/options"
)

// ExitFailure is the exit code of every failure of our own (ssh(1), EXIT STATUS).
const ExitFailure = 255

// Failure is an error for a person: what went wrong, and what to type. Both are single lines without "minissh: ".
type Failure struct {
	What   string
	Advice string
	Cause  error
}

func (f *Failure) Error() string { return f.What }
func (f *Failure) Unwrap() error { return f.Cause }

// Hint is what the user can type; "" if nothing is known.
func (f *Failure) Hint() string { return f.Advice }

func fail(cause error, advice, what string, args ...any) *Failure {
	return &Failure{What: fmt.Sprintf(what, args...), Advice: advice, Cause: cause}
}

// Report writes an error, and its hint if it has one, for a person.
func Report(w io.Writer, err error) {
	fmt.Fprintf(w, "minissh: %v\n", err)
	var hinter interface{ Hint() string }
	if errors.As(err, &hinter) && hinter.Hint() != "" {
		fmt.Fprintf(w, "minissh: hint: %s\n", hinter.Hint())
	}
}

// report tells why a host could not be served; with -q nothing is told, as with ssh.
func (d *Dialer) report(err error) {
	if d.Options.LogLevel > options.LevelQuiet {
		Report(d.Messages, err)
	}
}
