package process

import (
	"context"
	"errors"
)

// LookupAccount does not work here: a daemon serves its own account.
func LookupAccount(context.Context, string) (Account, error) {
	return Account{}, errors.New("other accounts are not served on Windows")
}

// Accounts does not work here, as LookupAccount.
func Accounts(context.Context) ([]Account, error) {
	return nil, errors.New("other accounts are not served on Windows")
}

// AccountByUID does not work here, as LookupAccount.
func AccountByUID(context.Context, uint32) (Account, error) {
	return Account{}, errors.New("other accounts are not served on Windows")
}

// LookPathAs is LookPath: no other accounts are served here.
func LookPathAs(_ Account, name, dir string, env []string) (string, error) {
	return LookPath(name, dir, env)
}
