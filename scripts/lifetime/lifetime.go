// Package lifetime ends a script's work when it should end: by a signal, by a time limit, or
// because the `go run` that started it is gone (that one dies of SIGTERM and passes nothing on). It
// ends child processes with all they started, and waits for what gives no event.
package lifetime

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Context returns a context that ends with the script's reason to run, at the latest after limit;
// context.Cause tells which it was. stop releases it.
func Context(limit time.Duration) (ctx context.Context, stop func()) {
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM,
		syscall.SIGHUP)
	ctx, timeout := context.WithTimeoutCause(ctx, limit,
		fmt.Errorf("it took longer than %v", limit))
	ctx, cancel := context.WithCancelCause(ctx)
	go watchParent(ctx, cancel)
	return ctx, func() {
		cancel(nil)
		timeout()
		release()
	}
}

func watchParent(ctx context.Context, cancel context.CancelCauseFunc) {
	parent := os.Getppid()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if os.Getppid() != parent {
				cancel(fmt.Errorf("the process that started it is gone"))
			}
		}
	}
}

// Until waits for what gives no event, no longer than limit, and says whether it is so.
func Until(ctx context.Context, limit time.Duration, is func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
