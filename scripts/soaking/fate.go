//go:build linux

package main

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"minissh/scripts/wire"
)

// loginBytes is about what a daemon sends until a client knows that it is in. A first link that is
// cut before may end in a failed login.
const loginBytes = 4096

// fates decides how the links of one job fare. The seed alone decides, except for how long the
// network is away after a silence: as many links are cut in that time as the client makes.
type fates struct {
	random *rand.Rand
	budget *budget
	left   int // cuts yet to come

	mu   sync.Mutex // guards the rest
	away time.Time  // the network is away until then
}

// budget counts the cuts of a whole run.
type budget struct {
	mu   sync.Mutex
	left int
}

func (b *budget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left <= 0 {
		return false
	}
	b.left--
	return true
}

// end leaves nothing.
func (b *budget) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = 0
}

func (b *budget) spent() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left <= 0
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
	if time.Now().Before(f.away) {
		fate.Cut = &wire.Cut{Way: wire.OfKind("silence")[0], Mute: seconds(logUniform(r, 1, 20))}
		fate.Up = 1
		return fate
	}
	if f.left == 0 || !f.budget.take() {
		return fate
	}
	f.left--
	fate.Cut = f.cut()
	fate.After = seconds(0.2 + 4*r.Float64())
	least := 1.0
	if n == 0 && r.IntN(20) > 0 { // else even the login may be cut
		least, fate.After = 2*loginBytes, fate.After+time.Second
	}
	switch at := int64(logUniform(r, least, max(4<<20, 2*least))); r.IntN(5) {
	case 0, 1:
		fate.Up = at
	case 2, 3:
		fate.Down = at
	}
	if fate.Cut.Way.Kind == "silence" && r.IntN(3) == 0 {
		f.away = time.Now().Add(fate.After + seconds(logUniform(r, 0.5, 15)))
	}
	return fate
}

// cut is one way of cutting, each kind as likely as another.
func (f *fates) cut() *wire.Cut {
	kinds := wire.Kinds()
	ways := wire.OfKind(kinds[f.random.IntN(len(kinds))])
	return &wire.Cut{Way: ways[f.random.IntN(len(ways))], Deaf: f.random.IntN(3) == 0,
		Mute: seconds(logUniform(f.random, 2, 120))}
}
