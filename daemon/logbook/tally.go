package logbook

import (
	"context"
	"log/slog"
	"math"
	"net/netip"
	"sync"
	"time"
)

// How often refusals of one kind are logged one by one. A source (an IPv4 address, an IPv6 /64; for
// some kinds a user) may fill thirty lines a minute, which is enough for fail2ban to ban it, and
// all sources together two hundred. More is counted, and the count told every ten seconds.
const (
	tallyTime   = time.Minute
	tallySource = 30
	tallyMost   = 200
	tallyEvery  = 10 * time.Second
)

// noteSource is how many lines of one kind the log has in a minute of what an authorized user does:
// about 700 KB at most for all kinds together, where a login's command is 512 bytes long. It is
// more than scripts do, and less than fills a disk.
const noteSource = 500

// Tally logs what strangers, and users, can have repeated as often as they like.
type Tally struct {
	log *slog.Logger

	mu    sync.Mutex // guards the rest
	kinds map[string]*tallied
}

// tallied is one kind of refusal.
type tallied struct {
	began   time.Time   // of the minute that is counted
	lines   int         // in it
	sources map[any]int // lines of each source in it
	more    int         // without a line, since the last count
	last    string      // from whom
	level   slog.Level
	timer   *time.Timer // tells the count; nil if there is nothing to tell
}

// NewTally logs to log.
func NewTally(log *slog.Logger) *Tally {
	return &Tally{log: log, kinds: map[string]*tallied{}}
}

// Refused logs a refusal of a kind, or counts it. whom is who it came from, in words; source is
// comparable, and what counts as one origin.
func (t *Tally) Refused(level slog.Level, kind string, source any, whom, message string,
	args ...any) {
	if t.line(level, kind, source, whom, tallySource, tallyMost) {
		t.log.Log(context.Background(), level, message, args...)
	}
}

// Noted logs what a user does who came from an address, or counts it.
func (t *Tally) Noted(kind, user string, from netip.AddrPort, message string, args ...any) {
	if t.line(slog.LevelInfo, kind, user, Name(user)+" "+From(from), noteSource, math.MaxInt) {
		t.log.Log(context.Background(), slog.LevelInfo, message, args...)
	}
}

// line says whether this one gets a line of its own: a source has perSource a minute, all together
// have most.
func (t *Tally) line(level slog.Level, kind string, source any, whom string, perSource,
	most int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, now := t.kinds[kind], time.Now()
	if k == nil {
		k = &tallied{level: level}
		t.kinds[kind] = k
	}
	if k.sources == nil || now.Sub(k.began) >= tallyTime {
		k.began, k.lines, k.sources = now, 0, map[any]int{}
	}
	if k.lines < most && k.sources[source] < perSource {
		k.lines++
		k.sources[source]++
		return true
	}
	k.more++
	k.last = whom
	if k.timer == nil {
		k.timer = time.AfterFunc(tallyEvery, func() { t.tell(kind) })
	}
	return false
}

// tell logs how many of a kind had no line.
func (t *Tally) tell(kind string) {
	t.mu.Lock()
	k := t.kinds[kind]
	more, last, level := k.more, k.last, k.level
	k.more = 0
	if k.timer != nil {
		k.timer.Stop()
		k.timer = nil
	}
	t.mu.Unlock()
	if more > 0 {
		t.log.Log(context.Background(), level, "More of the same, without a line each", "kind",
			kind, "count", more, "last", last)
	}
}

// Close tells what has not been told yet.
func (t *Tally) Close() {
	t.mu.Lock()
	var kinds []string
	for kind := range t.kinds {
		kinds = append(kinds, kind)
	}
	t.mu.Unlock()
	for _, kind := range kinds {
		t.tell(kind)
	}
}
