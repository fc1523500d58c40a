package main

import (
	"context"
	"errors"

	"minissh/client"
	"minissh/client/prompt"
)

// runPrompt offers the line prompt.
func runPrompt(d *client.Dialer) error {
	code, err := client.Prompt(context.Background(), d)
	var signalled *prompt.SignalError
	if err != nil && !errors.As(err, &signalled) {
		return err
	}
	return exitCode(code)
}
