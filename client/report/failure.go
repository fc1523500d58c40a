package report

import (
	"errors"
	"fmt"
	"io"
)

// ExitFailure is the exit code of every failure of our own (ssh(1), EXIT STATUS).
const ExitFailure = 255

// Failure is an error for a person: what went wrong, and what to type. Both are single lines
// without "minissh: ".
type Failure struct {
	What   string
	Advice string
	Cause  error
	class  Class
}

// Of gives the failure a class that its cause does not tell.
func (f *Failure) Of(c Class) *Failure {
	f.class = c
	return f
}

// FailureClass is what Of gave; "" if nothing.
func (f *Failure) FailureClass() string { return string(f.class) }

func (f *Failure) Error() string { return f.What }
func (f *Failure) Unwrap() error { return f.Cause }

// Hint is what the user can type; "" if nothing is known.
func (f *Failure) Hint() string { return f.Advice }

// Failed makes a Failure. cause may be nil, and advice may be empty.
func Failed(cause error, advice, what string, args ...any) *Failure {
	return &Failure{What: fmt.Sprintf(what, args...), Advice: advice, Cause: cause}
}

// Hint is what an error says the user can type; "" if it says nothing.
func Hint(err error) string {
	var hinter interface{ Hint() string }
	if errors.As(err, &hinter) {
		return hinter.Hint()
	}
	return ""
}

// Error writes an error, and its hint if it has one, for a person.
func Error(w io.Writer, err error) {
	fmt.Fprintf(w, "minissh: %v\n", err)
	if hint := Hint(err); hint != "" {
		fmt.Fprintf(w, "minissh: hint: %s\n", hint)
	}
}
