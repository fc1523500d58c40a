package forward

import (
	"slices"
	"sync"
	"time"
)

// hurried is how long a SOCKS client on the other side may take to say what it wants, if as many as
// may have not said it either.
const hurried = 3 * time.Second

// greeting are the SOCKS clients on the other side (-R) that have not said what they want. Each
// holds a channel, other than those here (-D): silent ones must not keep all others out. So only
// half of the channels give them greetTime.
type greeting struct {
	most int

	mu   sync.Mutex // guards the rest
	slow []*greeter // those that have greetTime, the oldest first
}

type greeter struct {
	began time.Time
	late  *time.Timer
}

// enter notes one more. end is called when its time is over, unless leave comes first; leave says
// whether it did. The oldest gives its time up if there are too many.
func (g *greeting) enter(end func()) (leave func() bool) {
	one := &greeter{time.Now(), time.AfterFunc(greetTime, end)}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.slow = append(g.slow, one)
	if len(g.slow) > g.most {
		oldest := g.slow[0]
		g.slow = g.slow[1:]
		oldest.late.Reset(hurried - time.Since(oldest.began))
	}
	return func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		if at := slices.Index(g.slow, one); at >= 0 {
			g.slow = slices.Delete(g.slow, at, at+1)
		}
		return one.late.Stop()
	}
}
