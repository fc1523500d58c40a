//go:build linux

package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"minissh/scripts/wire"
)

// loginBytes is about what a daemon sends until a client knows that it is in. A first link that is
// cut before may end in a failed login.
const loginBytes = 4096

// fates decides how the links of one job fare. The seed alone decides, except for what depends on
// when the client makes a link: one in doubt, or while the network is away.
type fates struct {
	random *rand.Rand
	budget *budget
	left   int                // cuts yet to come
	past   func() []wire.Past // the relay's

	mu    sync.Mutex            // guards the rest
	taken int                   // cuts
	away  map[int]time.Duration // by link: how long the network is away after its cut
	lost  int                   // links that were silent because it was
}

func newFates(random *rand.Rand, b *budget, left int) *fates {
	return &fates{random: random, budget: b, left: left, away: map[int]time.Duration{}}
}

// budget has the cuts of a whole run. A link may end before its cut, so a job gives back what it
// has taken and not used.
type budget struct {
	mu      sync.Mutex // guards the rest
	changed *sync.Cond
	left    int
	jobs    int // under way
	over    bool
}

func newBudget(cuts int) *budget {
	b := &budget{left: cuts}
	b.changed = sync.NewCond(&b.mu)
	return b
}

// begin waits until another job is needed; false if none is.
func (b *budget) begin() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.left <= 0 && b.jobs > 0 && !b.over {
		b.changed.Wait()
	}
	if b.left <= 0 || b.over {
		return false
	}
	b.jobs++
	return true
}

// done takes back what a job that has ended did not use.
func (b *budget) done(unused int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += unused
	b.jobs--
	b.changed.Broadcast()
}

func (b *budget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left <= 0 || b.over {
		return false
	}
	b.left--
	return true
}

// end leaves nothing.
func (b *budget) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	b.changed.Broadcast()
}

// logUniform is between low and high, and as likely to be in one power of ten as in another.
func logUniform(r *rand.Rand, low, high float64) float64 {
	return low * math.Exp(r.Float64()*math.Log(high/low))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// next is the fate of link n.
func (f *fates) next(n int) wire.Fate {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.random
	var fate wire.Fate
	if r.IntN(2) == 0 {
		fate.Delay = seconds(logUniform(r, 0.001, 0.06))
	}
	if r.IntN(5) == 0 {
		fate.Segment = 1 + r.IntN(200)
	}
	past := f.past()
	if f.isAway(past) {
		fate.Cut = &wire.Cut{Way: wire.OfKind("silence")[0], Mute: seconds(logUniform(r, 1, 20))}
		fate.Up = 1
		f.lost++
		return fate
	}
	if f.left == 0 || !f.budget.take() {
		return fate
	}
	f.left--
	f.taken++
	fate.Cut = f.cut()
	fate.After = seconds(0.2 + 4*r.Float64())
	least := 1.0
	firm := n > 0 && f.firm(n, past)
	if firm || n == 0 && r.IntN(20) > 0 { // else even the login may be cut
		least, fate.After = 2*loginBytes, fate.After+3*time.Second
	}
	switch at := int64(logUniform(r, least, max(4<<20, 2*least))); r.IntN(5) {
	case 0, 1:
		fate.Up = at
	case 2, 3:
		fate.Down = at
	}
	if fate.Cut.Way.Kind == "silence" && r.IntN(3) == 0 && !firm {
		fate.Cut.Mute = seconds(logUniform(r, noticed, 2*noticed))
		f.away[n] = seconds(logUniform(r, 0.5, 15))
	}
	return fate
}

// isAway says whether the network is away now.
func (f *fates) isAway(past []wire.Past) bool {
	return slices.ContainsFunc(past, func(p wire.Past) bool {
		return time.Now().Before(p.At.Add(f.away[p.N]))
	})
}

// firm says whether link n must get through, since the daemon has seen the end of one before, or is
// about to: the session expires soon if the client does not come back. A client in doubt may make a
// link and give it up again, so this holds for some time.
func (f *fates) firm(n int, past []wire.Past) bool {
	return len(past) < n || slices.ContainsFunc(past, func(p wire.Past) bool {
		end := p.At
		if p.Cut.Way.Far == wire.Nothing {
			if p.Cut.Mute.Seconds() >= noticed {
				return false
			}
			end = end.Add(p.Cut.Mute)
		}
		return time.Since(end).Seconds() < 3*killed
	})
}

// After noticed seconds both ends have seen by themselves that a link is silent. An end that the
// daemon sees before is that of a killed client (RE4), if the client's system had acknowledged, as
// a relay's always has: then the client has killed seconds to come back.
const (
	noticed = 60
	killed  = 10
)

// cut is one way of cutting, each kind as likely as another. Where the daemon alone sees an end,
// the client learns of it in time to come back: an idle one asks for a sign of life only after 15
// seconds.
func (f *fates) cut() *wire.Cut {
	kinds := wire.Kinds()
	ways := wire.OfKind(kinds[f.random.IntN(len(kinds))])
	cut := &wire.Cut{Way: ways[f.random.IntN(len(ways))], Deaf: f.random.IntN(3) == 0}
	most := 2.0 * noticed
	if cut.Way.Far != wire.Nothing && cut.Way.Near == wire.Nothing {
		most = killed / 2
	}
	cut.Mute = seconds(logUniform(f.random, 2, most))
	return cut
}
