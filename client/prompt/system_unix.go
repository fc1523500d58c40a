//go:build unix

package prompt

import (
	"context"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// watched are the signals that the loop handles; those about the terminal only if there is one.
func watched(terminal bool) []os.Signal {
	if !terminal {
		return []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}
	}
	return []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP,
		syscall.SIGWINCH, syscall.SIGCONT, syscall.SIGTSTP}
}

// localCommand is a line for this machine's shell.
func localCommand(ctx context.Context, getenv func(string) string, line string) *exec.Cmd {
	shell := getenv("SHELL")
	if shell == "" {
		shell = "/bin/sh"
	}
	return exec.CommandContext(ctx, shell, "-c", line)
}

// localOutcome is how a local command that failed ended.
func localOutcome(exit *exec.ExitError) Outcome {
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		sig := status.Signal()
		return Outcome{Code: 128 + int(sig), Signal: unix.SignalName(sig)}
	}
	return Outcome{Code: exit.ExitCode()}
}

// enableEscapes says whether the terminal understands escape sequences.
func enableEscapes(*os.File) bool { return true }
