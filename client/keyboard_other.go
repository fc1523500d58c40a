//go:build !unix

package client

import "os"

// keyboard reads standard input.
type keyboard struct{ *os.File }

func newKeyboard(stdin *os.File) (*keyboard, error) { return &keyboard{stdin}, nil }

// stop does nothing here: a Read of the console cannot be ended.
func (*keyboard) stop() {}

func (*keyboard) close() {}
