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

// ClosedError is why the system keeps an account from logging in.
type ClosedError struct{ Why, Advice string }

func (e *ClosedError) Error() string { return e.Why }

// Hint is what an administrator can type.
func (e *ClosedError) Hint() string { return e.Advice }

// Closed says that it does not know: no other accounts are served here.
func Closed(context.Context, Account) error { return errors.ErrUnsupported }
