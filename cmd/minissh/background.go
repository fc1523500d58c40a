package main

import (
	"errors"

	"minissh/client/options"
)

// backgroundVerb is how minissh -f starts itself again; the command line follows.
const backgroundVerb = "-minissh-background"

// runInBackground is the child's side of -f. Its parent has shown the warnings about the options.
func runInBackground(args []string) error {
	o, err := options.Parse(args)
	if err != nil {
		return err
	}
	if !o.ForkAfterAuthentication {
		return errors.New(backgroundVerb + " is for -f alone")
	}
	if err := openLog(o); err != nil {
		return err
	}
	return runOptions(sessionDialer(o), func() {
		inBackground()
		// nothing will be written: nobody needs to wait for the end of our output
		if o.SessionType == options.SessionNone && o.LogLevel < options.LevelDebug1 {
			silence()
		}
	})
}
