package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
)

// messages is where messages for people go: standard error, the file of -E or the system's log
// (-y). Errors in the command line are shown before there is such a file.
var messages io.Writer = os.Stderr

// openLog opens the file of -E, to append to it, or the system's log (-y); a command's own standard
// error does not go there.
func openLog(o *options.Options) error {
	if o.Syslog {
		log, err := systemLog(o)
		if err == nil {
			messages = log
		}
		return err
	}
	if o.LogFile == "" {
		return nil
	}
	file, err := os.OpenFile(o.LogFile, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return &report.Failure{
			What: fmt.Sprintf("cannot write messages to %s: %v", protocol.Quote(o.LogFile),
				errors.Unwrap(err)), Advice: "-E FILE names another", Cause: err}
	}
	messages = file
	return nil
}

// tellEnvironment says which variables the command will miss.
func tellEnvironment(o *options.Options) {
	if line := o.EnvironmentLeftOut(os.Environ()); line != "" && o.LogLevel >= options.LevelInfo &&
		o.SessionType == options.SessionDefault {
		fmt.Fprintln(messages, "minissh: "+line)
	}
}
