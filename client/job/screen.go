package job

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"minissh/client/report"
	"minissh/client/run"
	"minissh/client/terminal"
)

// screen shows a job that has a terminal on ours.
func (v *visit) screen(ctx context.Context) int {
	display, closeDisplay := terminal.Display(os.Stdout, v.streams.Stdout)
	defer closeDisplay()
	shown, err := run.NewShell(v.conn, v.ch, v.local, v.streams.Keyboard,
		v.streams.Result.OutTo(display), v.streams.Result.ErrTo(v.streams.Stderr))
	if err != nil {
		v.streams.Result.Failed(err)
		v.conn.Messages.Error(err)
		v.conn.Session.Close(nil)
		return report.ExitFailure
	}
	shown.OfJob()
	runtime.GOMAXPROCS(1) // as in run.Command's shell: keys take no detour
	outcome, left, err := shown.Run(ctx)
	if left == nil {
		if err != nil {
			fmt.Fprintln(v.conn.Messages) // the cursor is wherever the other side left it
		}
		return v.over(outcome, err)
	}
	told := make(chan struct{})
	go func() { defer close(told); v.conn.Session.Close(nil) }()
	select {
	case <-told:
	case <-time.After(run.Farewell): // the link hangs: its end detaches, too
	}
	v.streams.Result.Left(left)
	if left.Outcome != nil {
		return left.Outcome.ExitCode()
	}
	v.conn.Messages.Error(v.goesOn())
	if sig, ok := left.Signal.(syscall.Signal); ok {
		return 128 + int(sig)
	}
	return report.ExitFailure
}
