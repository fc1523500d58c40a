package access

import (
	"context"
	"errors"

	"minissh/daemon/process"
)

// keyReader reads nothing: on Windows a daemon serves its own account only.
type keyReader struct{}

func newKeyReader(process.Account) *keyReader { return &keyReader{} }

func (*keyReader) read(context.Context, process.Account, []string) ([]readFile, error) {
	return nil, errors.ErrUnsupported
}

func (*keyReader) close() {}
