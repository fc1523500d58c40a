//go:build !unix

package terminal

import (
	"io"
	"os"
)

// Stdin is our standard input.
func Stdin() io.Reader { return os.Stdin }

// Stdout is our standard output.
func Stdout() io.Writer { return os.Stdout }

// Stderr is our standard error.
func Stderr() io.Writer { return os.Stderr }
