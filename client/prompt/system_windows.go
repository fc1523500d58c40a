package prompt

import (
	"context"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

func watched(bool) []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// localCommand is a line for cmd.exe, which wants it unquoted.
func localCommand(ctx context.Context, getenv func(string) string, line string) *exec.Cmd {
	shell := getenv("ComSpec")
	if shell == "" {
		shell = `C:\Windows\System32\cmd.exe`
	}
	cmd := exec.CommandContext(ctx, shell)
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: syscall.EscapeArg(shell) + ` /d /s /c "` +
		line + `"`}
	return cmd
}

func localOutcome(exit *exec.ExitError) Outcome { return Outcome{Code: exit.ExitCode()} }

// enableEscapes turns on escape sequences in a console, and says whether that worked.
func enableEscapes(f *os.File) bool {
	var mode uint32
	h := windows.Handle(f.Fd())
	if windows.GetConsoleMode(h, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
