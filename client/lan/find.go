package lan

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"minissh/protocol/mdns"
)

// maxQuestions about single hosts are asked in all.
const maxQuestions = 128

// rounds is how often everybody is asked: a packet may be lost.
const rounds = 3

// ErrNoLAN is that this machine has no network where anybody could answer.
var ErrNoLAN = errors.New("there is no network interface for multicast")

// Find lists the daemons that answer within wait, at most MaxHosts, in the order of their names. It
// returns earlier, with what it has, when ctx ends.
func Find(ctx context.Context, wait time.Duration) ([]Host, error) {
	found, err := Look(ctx, wait)
	return found.Hosts, err
}

// Found is what answered.
type Found struct {
	Hosts   []Host
	Dropped int // answers beyond what is kept: somebody floods the LAN
}

// heard is an answer, on its way from a socket.
type heard struct {
	socket *mdns.Socket
	on     *mdns.Interface
	from   source
	zone   string
	answer *mdns.Answer
}

// Look is Find, and says how much was left out.
func Look(ctx context.Context, wait time.Duration) (Found, error) {
	interfaces, err := mdns.Interfaces()
	if err != nil {
		return Found{}, err
	}
	if len(interfaces) == 0 {
		return Found{}, ErrNoLAN
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	q := &querier{id: uint16(1 + rand.N(0xffff)), answers: make(chan heard),
		crowd: crowd{sources: map[source]*told{}}}
	var readers sync.WaitGroup
	var failed []error
	for _, four := range []bool{true, false} {
		// Those of a port of their own get an answer each, at once; the group's port hears what a
		// firewall would keep from a port that it does not know. Another program may have it.
		for _, group := range []bool{false, true} {
			s, err := mdns.Open(four, group, interfaces)
			if err != nil {
				failed = append(failed, err)
				continue
			}
			q.sockets = append(q.sockets, s)
			readers.Go(func() { q.read(ctx, s, group) })
		}
	}
	if len(q.sockets) == 0 {
		return Found{}, errors.Join(failed...)
	}
	q.ask(ctx, wait)
	cancel()
	for _, s := range q.sockets {
		s.Close()
	}
	readers.Wait()
	if q.sent == 0 {
		return Found{}, q.failed
	}
	return Found{Hosts: q.crowd.hosts(), Dropped: q.crowd.Dropped}, nil
}

// querier asks and collects. One goroutine owns it, apart from read.
type querier struct {
	id        uint16
	sockets   []*mdns.Socket
	answers   chan heard
	crowd     crowd
	questions int // about single hosts
	sent      int
	failed    error // why a question could not be sent
}

// read passes answers on until the socket is closed.
func (q *querier) read(ctx context.Context, s *mdns.Socket, group bool) {
	for {
		p, err := s.Receive()
		if err != nil {
			return
		}
		m, err := mdns.Parse(p.Bytes)
		// RFC 6762 section 11: answers come from the port of multicast DNS
		if err != nil || m.Answer == nil || p.From.Port() != mdns.Port ||
			!group && m.Answer.ID != q.id {
			continue
		}
		h := heard{socket: s, on: p.On, answer: m.Answer, zone: p.On.Name,
			from: source{p.From.Addr(), p.On.Index}}
		select {
		case q.answers <- h:
		case <-ctx.Done():
			return
		}
	}
}

// ask asks everybody a few times, and takes answers until the time is over.
func (q *querier) ask(ctx context.Context, wait time.Duration) {
	again := time.NewTicker(max(wait/(rounds+1), time.Millisecond))
	defer again.Stop()
	asked := 0
	everybody := func() {
		if asked++; asked > rounds {
			return
		}
		for _, s := range q.sockets {
			for i := range s.Interfaces() {
				q.put(s, &s.Interfaces()[i],
					[]mdns.Asked{{Name: mdns.Type, Type: dnsmessage.TypePTR}})
			}
		}
	}
	everybody()
	for {
		select {
		case h := <-q.answers:
			q.take(h)
		case <-again.C:
			everybody()
		case <-ctx.Done():
			return
		}
	}
}

func (q *querier) put(s *mdns.Socket, on *mdns.Interface, asked []mdns.Asked) {
	if err := s.Multicast(on, mdns.Question(q.id, asked...)); err != nil {
		q.failed = err
		return
	}
	q.sent++
}

// take keeps an answer, and asks about what is missing in it.
func (q *querier) take(h heard) {
	q.crowd.add(h.from, h.zone, h.answer.Records())
	t := q.crowd.sources[h.from]
	if t == nil {
		return
	}
	for _, i := range slices.Clone(t.instances) {
		if q.questions >= maxQuestions {
			return
		}
		if ask := t.missing(i); ask != nil {
			q.questions++
			q.put(h.socket, h.on, ask)
		}
	}
}
