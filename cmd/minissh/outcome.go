package main

import (
	"errors"

	"minissh/client/atexit"
	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/outcome"
	"minissh/client/report"
	"minissh/client/run"
)

// recorded runs a command, and writes what became of it to the file of --outcome, if there is one.
func recorded(d *dial.Dialer, do func(run.Streams) int) error {
	file, err := outcome.Create(d.Options.Outcome)
	if err != nil {
		return err
	}
	s := streams()
	s.Result = file.Watch(d)
	forget := atexit.Do(func() { file.Write(nil) }) // a second signal may end us
	code := do(s)
	err = file.Write(nil)
	forget()
	if err != nil {
		d.Messages.Error(err)
		if code == 0 {
			code = report.ExitFailure // whoever wants the outcome as data has not got it
		}
	}
	return exitCode(code)
}

// notRun writes to the file of --outcome why nothing was run, and returns that.
func notRun(why error, path string) error {
	if wrong, ok := errors.AsType[*options.UsageError](why); ok && path == "" {
		path = wrong.Outcome
	}
	file, err := outcome.Create(path)
	if err == nil {
		err = file.Write(why)
	}
	if err != nil {
		return errors.Join(why, err)
	}
	return why
}
