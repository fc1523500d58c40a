package main

import (
	"context"
	"errors"

	"minissh/client/dial"
	"minissh/client/editor"
	"minissh/client/prompt"
)

// runPrompt offers the line prompt; stop ends it at the first line that fails.
func runPrompt(d *dial.Dialer, stop bool) error {
	code, err := prompt.Run(context.Background(), d, stop)
	var signalled *editor.SignalError
	if err != nil && !errors.As(err, &signalled) {
		return err
	}
	return exitCode(code)
}
