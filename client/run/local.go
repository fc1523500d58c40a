package run

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"runtime"

	"minissh/client/dial"
	"minissh/client/report"
)

// LocalCommand runs what the options name in the user's shell, on this machine and with our
// standard streams, and waits for its end, which does not matter (ssh_config(5), LocalCommand).
func LocalCommand(conn *dial.Connection) error {
	line := conn.Options.LocalCommand
	if line == "" {
		return nil
	}
	if runtime.GOOS == "windows" {
		return report.Failed(nil, "-o PermitLocalCommand=no goes on without it",
			"LocalCommand does not work on this system yet")
	}
	conn.Messages.Debug("LocalCommand: %q", line)
	cmd := exec.Command(cmp.Or(os.Getenv("SHELL"), "/bin/sh"), "-c", line)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		conn.Messages.Error(report.Failed(err, "is $SHELL right?",
			"LocalCommand cannot be run: %v", report.Plain(err)))
	}
	return nil
}
