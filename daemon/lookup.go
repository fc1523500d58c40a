package daemon

import (
	"context"
	"sync"
	"time"
)

// lookupTime bounds all that is asked of the system for one login.
const lookupTime = 10 * time.Second

// lookup is the context of that. It differs from context.WithTimeout's in when its timer is set: once somebody waits for it, which a login of an account
// in the system's own files never does. To set a timer wakes another thread, and a cold command waits for the login.
type lookup struct {
	until time.Time
	once  sync.Once
	ctx   context.Context
	stop  context.CancelFunc
}

// newLookup begins now. The caller must call end.
func newLookup() *lookup { return &lookup{until: time.Now().Add(lookupTime)} }

// end ends the context and its timer, if it has one.
func (l *lookup) end() {
	l.once.Do(func() { l.ctx, l.stop = context.WithCancel(context.Background()) })
	l.stop()
}

func (l *lookup) begun() context.Context {
	l.once.Do(func() { l.ctx, l.stop = context.WithDeadline(context.Background(), l.until) })
	return l.ctx
}

// Deadline implements context.Context, as do the others.
func (l *lookup) Deadline() (time.Time, bool) { return l.until, true }
func (l *lookup) Done() <-chan struct{}       { return l.begun().Done() }
func (l *lookup) Err() error                  { return l.begun().Err() }
func (l *lookup) Value(key any) any           { return l.begun().Value(key) }
