package announce

import (
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"minissh/protocol/mdns"
)

// Config is what an Announcer needs. Nothing in it changes after Start.
type Config struct {
	Hostname string
	// Now says what there is to publish: the host key's fingerprint, and where the daemon listens
	// beyond loopback (an address may be unspecified); none while nobody could log in. It may take
	// long; a goroutine of its own calls it.
	Now func() (fingerprint string, at []netip.AddrPort)
	Log *slog.Logger
}

const (
	// every is how often an Announcer looks by itself.
	every = 5 * time.Second
	// maxPorts are published at most.
	maxPorts = 8
)

// Announcer publishes a daemon until Close.
type Announcer struct {
	config Config
	look   chan struct{}
	views  chan view
	closed chan bool // whether to withdraw
	ended  chan struct{}
	once   sync.Once
	looks  sync.WaitGroup
}

// view is what there is to publish, and where.
type view struct {
	fingerprint string
	at          []netip.AddrPort
	interfaces  []mdns.Interface
	err         error
}

// Start publishes a daemon.
func Start(config Config) *Announcer {
	a := &Announcer{config: config, look: make(chan struct{}, 1), views: make(chan view),
		closed: make(chan bool, 1), ended: make(chan struct{})}
	a.looks.Go(a.watch)
	go func() {
		defer close(a.ended)
		newResponder(config).run(a.views, a.closed)
	}()
	return a
}

// Look has it look now: something has changed.
func (a *Announcer) Look() {
	if a == nil {
		return
	}
	select {
	case a.look <- struct{}{}:
	default:
	}
}

// Close ends it. With withdraw, everybody is told that the daemon is gone; else another one goes on
// publishing the same.
func (a *Announcer) Close(withdraw bool) {
	if a == nil {
		return
	}
	a.once.Do(func() { a.closed <- withdraw })
	<-a.ended
}

// Wait returns, after Close, when nothing is running any more: a last look at keys may hang until
// the daemon's Access is closed.
func (a *Announcer) Wait() {
	if a != nil {
		<-a.ended
		a.looks.Wait()
	}
}

func (a *Announcer) watch() {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		var v view
		v.fingerprint, v.at = a.config.Now()
		if len(v.at) > 0 {
			v.interfaces, v.err = mdns.Interfaces()
		}
		select {
		case a.views <- v:
		case <-a.ended:
			return
		}
		select {
		case <-tick.C:
		case <-a.look:
		case <-a.ended:
			return
		}
	}
}

// ports are those listened on, each once, in order.
func (v *view) ports() (list []uint16) {
	for _, at := range v.at {
		if !slices.Contains(list, at.Port()) && len(list) < maxPorts {
			list = append(list, at.Port())
		}
	}
	return list
}

// addresses are those of an interface where a port is listened on.
func (v *view) addresses(on *mdns.Interface, port uint16) (list []netip.Addr) {
	for _, prefix := range on.Addresses {
		a := prefix.Addr()
		if slices.ContainsFunc(v.at, func(at netip.AddrPort) bool {
			l := at.Addr()
			return at.Port() == port && (l.WithZone("") == a ||
				l.IsUnspecified() && l.Is4() == a.Is4())
		}) {
			list = append(list, a)
		}
	}
	return list
}

// sameLinks says whether sockets on the interfaces of one view do for another one.
func sameLinks(a, b []mdns.Interface) bool {
	return slices.EqualFunc(a, b, func(x, y mdns.Interface) bool {
		return x.Index == y.Index && slices.Equal(x.Addresses, y.Addresses)
	})
}

// heard is a packet from one of the sockets; dead: the socket's last word.
type heard struct {
	socket *mdns.Socket
	packet mdns.Packet
	dead   error
}

// hub is the sockets of both families.
type hub struct {
	sockets    []*mdns.Socket
	interfaces []mdns.Interface // as they were when the sockets were opened
	packets    chan heard
	closing    chan struct{}
	readers    sync.WaitGroup
}

// open opens what can be opened.
func open(interfaces []mdns.Interface) (*hub, error) {
	h := &hub{interfaces: interfaces, packets: make(chan heard, 64),
		closing: make(chan struct{})}
	var failed []error
	for _, four := range []bool{true, false} {
		s, err := mdns.Open(four, true, interfaces)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		h.sockets = append(h.sockets, s)
		h.readers.Go(func() { h.read(s) })
	}
	if len(h.sockets) == 0 {
		return nil, errors.Join(failed...)
	}
	return h, nil
}

// read passes packets on. While the responder is busy, they are dropped, as a network would.
func (h *hub) read(s *mdns.Socket) {
	for {
		p, err := s.Receive()
		if err != nil {
			select {
			case h.packets <- heard{socket: s, dead: err}:
			case <-h.closing:
			}
			return
		}
		p.Bytes = slices.Clone(p.Bytes)
		select {
		case h.packets <- heard{socket: s, packet: p}:
		default:
		}
	}
}

func (h *hub) close() {
	if h == nil {
		return
	}
	close(h.closing)
	for _, s := range h.sockets {
		s.Close()
	}
	h.readers.Wait()
}

// on lists the sockets that work on an interface.
func (h *hub) on(index int, do func(*mdns.Socket, *mdns.Interface)) {
	for _, s := range h.sockets {
		for i := range s.Interfaces() {
			if one := &s.Interfaces()[i]; one.Index == index {
				do(s, one)
			}
		}
	}
}
