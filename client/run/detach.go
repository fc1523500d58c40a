package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Detach asks for a job to be made of what runs on a channel with a pty (JO10). If it is refused,
// what runs goes on, and refused is told why. Else the channel ends by a CLOSE
// with `detached`; finish is called then with what the channel has shown, and says which job it is.
type Detach func(conn *dial.Connection, ch *mux.Channel, refused func(error)) (finish func(
	ctx context.Context, shown []byte) error)

// detach does what ~d asks for.
func (s *Shell) detach() {
	m := s.conn.Messages
	switch {
	case s.detaching.Load() != nil:
	case s.lost.Load() != nil:
		m.Say(options.LevelError, "the link to %s is lost; %sd works when it is back",
			s.conn.Options.Alias, s.escape.Name())
	default:
		asked := new(detaching)
		s.detaching.Store(asked)
		asked.finish = s.makesJob(s.conn, s.ch, func(err error) {
			s.detaching.CompareAndSwap(asked, nil)
			m.Error(err)
		})
	}
}

// detaching is a Detach that was asked for. Its finish is set before what was typed after that is
// read.
type detaching struct {
	finish func(context.Context, []byte) error
}

// Detached says whether the shell's end, as Run told it, was that a job was made of it, and then
// finishes that.
func (s *Shell) Detached(ctx context.Context, err error) (over bool, _ error) {
	closed, ok := errors.AsType[*Closed](err)
	asked := s.detaching.Load()
	if !ok || closed.Code != protocol.CodeDetached || asked == nil || asked.finish == nil {
		return false, nil
	}
	fmt.Fprintln(s.conn.Messages) // the cursor is wherever the other side left it
	ctx, cancel := context.WithTimeout(ctx, detachTime)
	defer cancel()
	return true, asked.finish(ctx, s.stdout.seen.newest())
}

// detachTime is how long the daemon may take to make a job of what it has handed over.
const detachTime = 30 * time.Second

// leaveAsJob ends a shell of which a job was made. It returns our exit code.
func (s *Shell) leaveAsJob(failed error) int {
	s.conn.Session.Leave()
	if failed != nil {
		s.conn.Messages.Error(failed)
		return report.ExitFailure
	}
	return 0
}

// waitingTime is how long a login shell waits for what is told above it.
const waitingTime = 300 * time.Millisecond

// tellWaiting says what goes on there.
func (s *Shell) tellWaiting(stop <-chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), waitingTime)
	defer cancel()
	said := make(chan string, 1)
	go func() { said <- s.waiting(ctx, s.conn) }()
	select {
	case line := <-said:
		if line != "" {
			s.conn.Messages.Say(options.LevelInfo, "%s", line)
		}
	case <-ctx.Done():
	case <-stop:
	}
}

// seen is the newest output of a terminal.
type seen struct{ all, old []byte }

// mostSeen is how much is kept, in bytes: up to so much, and at least half of it.
const mostSeen = protocol.MaxJobScreen

func (s *seen) add(p []byte) {
	if len(s.all)+len(p) > mostSeen/2 {
		s.old, s.all = s.all, s.old[:0]
	}
	s.all = append(s.all, p[max(0, len(p)-mostSeen/2):]...)
}

// newest is what was kept.
func (s *seen) newest() []byte { return append(s.old[:len(s.old):len(s.old)], s.all...) }
