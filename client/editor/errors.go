package editor

import (
	"errors"
	"fmt"
	"os"
)

// ErrInterrupted is Ctrl-C while a line is read.
var ErrInterrupted = errors.New("interrupted")

// LineError is a line that cannot be run; the next one can.
type LineError struct{ Err error }

func (e *LineError) Error() string { return e.Err.Error() }
func (e *LineError) Unwrap() error { return e.Err }

// SignalError says that a signal ends the reading of lines.
type SignalError struct{ Signal os.Signal }

func (e *SignalError) Error() string { return "ended by the signal: " + e.Signal.String() }

// MaxLine is the longest line that is run, in bytes.
const MaxLine = 1 << 20

// tooLong is the error for a line of so many bytes; nil: it can be run.
func tooLong(bytes int) error {
	if bytes <= MaxLine {
		return nil
	}
	return fmt.Errorf("the line has %d bytes, and at most %d (1 MiB) can be sent; nothing of it "+
		"was run", bytes, MaxLine)
}
