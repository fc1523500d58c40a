package daemon

import (
	"errors"
	"io/fs"

	"minissh/daemon/authorized"
)

// readFile is what became of one file.
type readFile struct {
	Text    []byte
	Missing bool   `json:",omitempty"`
	Unsafe  []byte `json:",omitempty"` // the path of authorized.ModeError
	Dir     bool   `json:",omitempty"`
	Err     []byte `json:",omitempty"`
}

func (f *readFile) err() error {
	switch {
	case f.Missing:
		return fs.ErrNotExist
	case f.Unsafe != nil:
		return &authorized.ModeError{Path: string(f.Unsafe), Dir: f.Dir}
	case f.Err != nil:
		return errors.New(string(f.Err))
	}
	return nil
}
