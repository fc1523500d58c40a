package announce

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"minissh/protocol/mdns"
)

// hear takes a packet.
func (r *responder) hear(h heard) {
	if h.dead != nil {
		r.hub.close()
		r.hub, r.retry, r.tried = nil, r.now().Add(slowly), r.view.interfaces
		if !r.failing {
			r.log.Warn("Announcing on the LAN was interrupted; it is tried again", "error",
				h.dead.Error())
		}
		r.failing = true
		for _, e := range r.entries {
			e.step, e.due = 0, r.now()
		}
		return
	}
	m, err := mdns.Parse(h.packet.Bytes)
	if err != nil {
		return // strangers' nonsense
	}
	for _, e := range r.entries {
		at := slices.IndexFunc(e.on, func(p *place) bool { return p.index == h.packet.On.Index })
		switch {
		case at < 0:
		case m.Answer != nil && h.packet.From.Port() == mdns.Port:
			r.answered(e, e.on[at], m.Answer)
		case m.Query != nil:
			r.asked(e, e.on[at], m.Query, h)
		}
	}
}

// ours says whether an address is this machine's.
func (r *responder) ours(a netip.Addr) bool {
	return slices.ContainsFunc(r.view.interfaces, func(i mdns.Interface) bool {
		return slices.ContainsFunc(i.Addresses, func(p netip.Prefix) bool {
			return p.Addr() == a.WithZone("")
		})
	})
}

// answered is what somebody else publishes.
func (r *responder) answered(e *entry, p *place, a *mdns.Answer) {
	now := r.now()
	if a.Conflicts(&p.service, r.ours) {
		r.conflict(e, now)
	} else if e.step > firstAnnouncement && a.TakesBack(&p.service) {
		p.schedule(now, answerGap) // within the second that the others wait (section 10.1)
	}
}

// conflict is that somebody else has the name. While we ask for it, it is his; once it was ours, it
// is asked for again (section 9).
func (r *responder) conflict(e *entry, now time.Time) {
	if now.Sub(e.since) > conflictsTime {
		e.since, e.conflicts = now, 0
	}
	e.conflicts++
	wait := rand.N(probeGap)
	if e.conflicts > conflictsMost {
		if now.Before(e.due) && e.step == 0 {
			return // it rests already
		}
		wait = conflictsRest
	}
	if e.step < firstAnnouncement {
		e.number = max(2, (e.number+1)%numbersMost)
		for _, p := range e.on {
			p.service.Name = e.name()
		}
	}
	e.step, e.due = 0, now.Add(wait)
}

// asked is a question.
func (r *responder) asked(e *entry, p *place, q *mdns.Query, h heard) {
	now, from := r.now(), h.packet.From
	if e.step < firstAnnouncement || e.step == firstAnnouncement && now.Before(e.due) {
		if q.Beats(&p.service, r.ours(from.Addr())) {
			e.step, e.due = 0, now.Add(deferred)
		}
		return
	}
	everybody, unicast := q.Reply(&p.service, from.Port() != mdns.Port)
	if everybody {
		gap := answerGap
		if q.Probes() {
			gap = defendGap
		}
		p.schedule(now, gap)
	}
	if unicast != nil && r.quota.take(from.Addr(), now) {
		h.socket.Unicast(from, unicast)
	}
}

// schedule has everybody told soon, and not too often (section 6).
func (p *place) schedule(now time.Time, gap time.Duration) {
	at := now.Add(answerLeast + rand.N(answerMost-answerLeast))
	if again := p.last.Add(gap); at.Before(again) {
		at = again
	}
	if p.answer.IsZero() || at.Before(p.answer) {
		p.answer = at
	}
}
