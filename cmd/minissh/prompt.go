package main

import (
	"context"
	"errors"

	"minissh/client/dial"
	"minissh/client/prompt"
)

// runPrompt offers the line prompt.
func runPrompt(d *dial.Dialer) error {
	code, err := prompt.Run(context.Background(), d)
	var signalled *prompt.SignalError
	if err != nil && !errors.As(err, &signalled) {
		return err
	}
	return exitCode(code)
}
