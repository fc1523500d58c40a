package announce

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"minissh/protocol/mdns"
)

// Times of RFC 6762, sections 6 and 8.
const (
	probes      = 3
	probeGap    = 250 * time.Millisecond
	announceGap = time.Second
	deferred    = time.Second // by a probe that loses against another one
	answerLeast = 20 * time.Millisecond
	answerMost  = 120 * time.Millisecond
	answerGap   = time.Second
	defendGap   = 250 * time.Millisecond
	// section 9 has fifteen conflicts in ten seconds
	conflictsMost = 10
	conflictsTime = 10 * time.Second
	conflictsRest = 5 * time.Second
)

// numbersMost bounds how long a name gets when somebody has all those that we ask for.
const numbersMost = 10_000

// slowly is between attempts at what has failed, and between lines of the log that others on the
// LAN can cause.
const slowly = 30 * time.Second

// Steps of an entry: probes are counted up, then two announcements.
const (
	firstAnnouncement  = probes
	secondAnnouncement = probes + 1
	published          = probes + 2
)

// responder publishes what the last view has. One goroutine owns it.
type responder struct {
	config  Config
	log     *slog.Logger
	view    view
	hub     *hub // nil: there is nothing to publish, or it could not be opened
	entries []*entry
	quota   quota

	failing bool // it has been said that nothing can be published
	retry   time.Time
	tried   []mdns.Interface // where that failed
	now     func() time.Time
}

// entry is one port of the daemon.
type entry struct {
	port      uint16
	base      string // its name, unless others have that
	number    int    // of its name: 0, then 2, 3 …
	step      int
	due       time.Time // of the step; zero: none
	conflicts int       // since
	since     time.Time
	logged    string // the name that the log has
	told      time.Time
	on        []*place
}

// place is an entry on one interface.
type place struct {
	index   int
	service mdns.Service
	last    time.Time // when everybody was last told
	answer  time.Time // when everybody is to be told again; zero: nobody asks
}

func newResponder(config Config) *responder {
	return &responder{config: config, log: config.Log, now: time.Now}
}

// run works until closed.
func (r *responder) run(views <-chan view, closed <-chan bool) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(r.wait())
		var packets chan heard
		if r.hub != nil {
			packets = r.hub.packets
		}
		select {
		case v := <-views:
			r.see(v)
		case h := <-packets:
			r.hear(h)
		case <-timer.C:
			r.work()
		case withdraw := <-closed:
			if withdraw {
				r.goodbye()
			}
			r.hub.close()
			return
		}
	}
}

// see takes a new view.
func (r *responder) see(v view) {
	r.view = v
	ports := v.ports()
	if len(ports) == 0 {
		if len(r.entries) > 0 {
			r.goodbye()
			r.log.Info("The daemon is not announced any more: nobody could log in")
		}
		r.drop()
		return
	}
	r.entries = slices.DeleteFunc(r.entries, func(e *entry) bool {
		gone := !slices.Contains(ports, e.port)
		if gone {
			r.farewell(e)
		}
		return gone
	})
	if r.hub != nil && !sameLinks(r.hub.interfaces, v.interfaces) {
		r.hub.close()
		r.hub, r.retry = nil, time.Time{}
	}
	if r.hub == nil && !r.open() {
		return
	}
	for i, port := range ports {
		e := r.entryOf(port, i == 0)
		r.update(e)
	}
}

// open opens the sockets.
func (r *responder) open() bool {
	if r.now().Before(r.retry) && sameLinks(r.tried, r.view.interfaces) {
		return false
	}
	h, err := open(r.view.interfaces)
	if r.view.err != nil {
		err = r.view.err
	}
	if err != nil {
		h.close()
		r.retry, r.tried = r.now().Add(slowly), r.view.interfaces
		if !r.failing {
			r.log.Warn("The daemon cannot be announced for now; it is tried again", "error",
				err.Error())
		}
		r.failing = true
		return false
	}
	r.hub, r.failing = h, false
	return true
}

func (r *responder) drop() {
	r.hub.close()
	r.hub, r.entries, r.retry = nil, nil, time.Time{}
}

func (r *responder) entryOf(port uint16, first bool) *entry {
	for _, e := range r.entries {
		if e.port == port {
			return e
		}
	}
	base := mdns.Label(r.config.Hostname)
	if !first {
		base = fmt.Sprintf("%s-%d", base, port)
	}
	e := &entry{port: port, base: base, due: r.now().Add(rand.N(probeGap))}
	r.entries = append(r.entries, e)
	return e
}

func (e *entry) name() string {
	if e.number == 0 {
		return e.base
	}
	return fmt.Sprintf("%s-%d", e.base, e.number)
}

// update has an entry say what the view has. What is new about a name that is ours is announced; on
// a link that is new, the name is asked for again.
func (r *responder) update(e *entry) {
	var on []*place
	fresh, changed := false, false
	for i := range r.view.interfaces {
		link := &r.view.interfaces[i]
		p := &place{index: link.Index, service: mdns.Service{Name: e.name(), Port: e.port,
			Fingerprint: r.view.fingerprint, Addresses: r.view.addresses(link, e.port)}}
		if len(p.service.Addresses) == 0 {
			continue
		}
		on = append(on, p)
		at := slices.IndexFunc(e.on, func(old *place) bool { return old.index == p.index })
		if at < 0 {
			fresh = true
			continue
		}
		p.last, p.answer = e.on[at].last, e.on[at].answer
		changed = changed || !p.service.Equal(&e.on[at].service)
	}
	e.on = on
	switch {
	case fresh && e.step > 0:
		e.step, e.due = 0, r.now().Add(rand.N(probeGap))
	case changed && e.step >= firstAnnouncement:
		e.step, e.due = firstAnnouncement, r.now()
	}
}

// wait is how long nothing is to be done.
func (r *responder) wait() time.Duration {
	next := r.now().Add(time.Hour)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	if r.hub == nil {
		return time.Hour
	}
	for _, e := range r.entries {
		sooner(e.due)
		for _, p := range e.on {
			sooner(p.answer)
		}
	}
	return max(0, next.Sub(r.now()))
}

// work does what is due.
func (r *responder) work() {
	now := r.now()
	for _, e := range r.entries {
		if !e.due.IsZero() && !now.Before(e.due) {
			r.step(e, now)
		}
		for _, p := range e.on {
			if e.step >= firstAnnouncement && !p.answer.IsZero() && !now.Before(p.answer) {
				r.tell(p, p.service.Announcement())
			}
		}
	}
}

// step asks whether the name is free, or announces.
func (r *responder) step(e *entry, now time.Time) {
	probing := e.step < firstAnnouncement
	for _, p := range e.on {
		if probing {
			r.send(p, p.service.Probe())
		} else {
			r.tell(p, p.service.Announcement())
		}
	}
	e.step++
	switch {
	case e.step <= firstAnnouncement:
		e.due = now.Add(probeGap)
	case e.step == secondAnnouncement:
		e.due = now.Add(announceGap)
		if name := e.name(); name != e.logged && now.Sub(e.told) > slowly {
			r.log.Info("The daemon is announced on the LAN", "name", name, "port", e.port)
			e.logged, e.told = name, now
		}
	default:
		e.step, e.due = published, time.Time{}
	}
}

// tell tells everybody on a link.
func (r *responder) tell(p *place, bytes []byte) {
	p.last, p.answer = r.now(), time.Time{}
	r.send(p, bytes)
}

func (r *responder) send(p *place, bytes []byte) {
	// a link that is down takes nothing, and the next view shows it
	r.hub.on(p.index, func(s *mdns.Socket, link *mdns.Interface) { s.Multicast(link, bytes) })
}

// goodbye takes back everything.
func (r *responder) goodbye() {
	for _, e := range r.entries {
		r.farewell(e)
	}
}

func (r *responder) farewell(e *entry) {
	if r.hub == nil || e.step <= firstAnnouncement {
		return // nobody was told
	}
	for _, p := range e.on {
		r.send(p, p.service.Goodbye())
	}
}
