//go:build !unix

package client

import (
	"io"
	"os"
)

// keyboard reads standard input.
type keyboard struct{ *os.File }

func newKeyboard(stdin *os.File) (*keyboard, error) { return &keyboard{stdin}, nil }

// stop does nothing here: a Read of the console cannot be ended.
func (*keyboard) stop() {}

func (*keyboard) close() {}

// display is a writer for what a terminal shall show, and what closes it.
func display(_ *os.File, otherwise io.Writer) (io.Writer, func()) { return otherwise, func() {} }
