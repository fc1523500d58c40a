//go:build !unix

package terminal

import (
	"io"
	"os"
)

// console is standard input. A Read of it cannot be ended here.
type console struct{ *os.File }

func (console) Stop()        {}
func (console) Close() error { return nil }

// OpenKeyboard takes standard input as a Keyboard.
func OpenKeyboard(stdin *os.File) (Keyboard, error) { return console{stdin}, nil }

// Display is a writer for what a terminal should show, and what closes it.
func Display(_ *os.File, otherwise io.Writer) (io.Writer, func()) { return otherwise, func() {} }
