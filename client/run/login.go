package run

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"minissh/client/atexit"
	"minissh/client/dial"
)

// UntilLogin lets a signal end a login for which a program makes the connection (ProxyCommand,
// ProxyJump), since that must not be left behind, and one of which --outcome tells. end is called
// after the login; it returns 128+n if there was a signal, and else 0. Otherwise nothing is caught:
// a signal just ends this process.
func UntilLogin(ctx context.Context, d *dial.Dialer) (_ context.Context, end func() (code int)) {
	if !d.Options.Proxied() && d.Options.Outcome == "" {
		return ctx, func() int { return 0 }
	}
	ctx, cancel := context.WithCancel(ctx)
	signals, over := make(chan os.Signal, 4), make(chan struct{})
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(sig) { // nohup, or sftp
			signal.Notify(signals, sig)
		}
	}
	var caught atomic.Int32
	go func() {
		for {
			select {
			case sig := <-signals:
				if caught.Swap(int32(atexit.Code(sig))) != 0 {
					atexit.Exit(atexit.Code(sig))
				}
				cancel()
			case <-over:
				return
			}
		}
	}()
	return ctx, func() int {
		signal.Stop(signals)
		close(over)
		cancel()
		return int(caught.Load())
	}
}
