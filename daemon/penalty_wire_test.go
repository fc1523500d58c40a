//go:build unix

package daemon

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"minissh/daemon/access"
	"minissh/protocol"
	"minissh/protocol/keys"
)

// elsewhere is a connection that seems to come from an address.
type elsewhere struct {
	net.Conn
	from netip.AddrPort
}

func (c elsewhere) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.from) }

// from connects to the daemon from an address.
func (l *lab) from(address string) net.Conn {
	l.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l.t.Fatal(err)
	}
	defer listener.Close()
	raw, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		l.t.Fatal(err)
	}
	raw.SetDeadline(time.Now().Add(patience))
	conn, err := listener.Accept()
	if err != nil {
		l.t.Fatal(err)
	}
	l.conns.Go(func() {
		l.ServeConn(elsewhere{conn, netip.AddrPortFrom(netip.MustParseAddr(address), 4711)})
	})
	return raw
}

// knockFrom connects from an address with a key, and says HELLO with the fingerprints of other
// keys.
func (l *lab) knockFrom(address string, id keys.Identity, others ...string) *scripted {
	l.t.Helper()
	p := l.knockOn(l.from(address), id)
	p.send(hello(func(h *protocol.Hello) { h.Keys = others }))
	return p
}

// After failures an address is kept out, even with right keys, unless they have logged in before;
// loopback and other addresses are not.
func TestPenaltyOverTheWire(t *testing.T) {
	var lock sync.Mutex
	now := time.Now()
	l := newLab(t,
		func(o *Options) {
			o.Now = func() time.Time { lock.Lock(); defer lock.Unlock(); return now }
		})
	later := func(d time.Duration) { lock.Lock(); defer lock.Unlock(); now = now.Add(d) }
	known, second := l.guest, newKey(t)
	l.access.grants[keys.Fingerprint(second.Public)] = &access.Grant{Where: "test:2"}
	const there = "192.0.2.7"
	welcome := func(p *scripted) { p.want(protocol.TypeWelcome); p.conn.Close() }
	answer := func(p *scripted, code protocol.Code) {
		t.Helper()
		if r := p.wantError(); r.Code != code {
			t.Errorf("%+v, not %s", r, code)
		}
	}
	welcome(l.knockFrom("198.51.100.1", known))
	// A refusal that names an acceptable key costs nothing (RULES A3).
	for range 5 {
		if r := l.knockFrom(there, l.stranger,
			fingerprintOf(second)).wantError(); r.Key != fingerprintOf(second) {
			t.Errorf("%+v", r)
		}
		later(10 * time.Second)
	}
	l.log.want(t, "Failed publickey for tester from 192.0.2.7 port 4711",
		"another_key="+fingerprintOf(second))
	answer(l.knockFrom(there, l.stranger), protocol.CodeKeyNotAuthorized)
	answer(l.knockFrom(there, l.stranger), protocol.CodeKeyNotAuthorized) // heard for ten seconds
	l.log.want(t, "Failed publickey for tester from 192.0.2.7 port 4711", "penalty_seconds=5")
	later(10 * time.Second)
	if r := l.knockFrom(there, l.stranger).wantError(); r.Code != protocol.CodeTooManyFailures ||
		!strings.HasSuffix(r.Message, "; try again in 6 seconds") {
		t.Errorf("%+v", r)
	}
	answer(l.knockFrom(there, second), protocol.CodeTooManyFailures)
	welcome(l.knockFrom(there, known))
	welcome(l.knockFrom("192.0.2.8", second))
	l.run("true") // from loopback
	later(5 * time.Second)
	welcome(l.knockFrom(there, second))
	for range 3 { // loopback is never penalized
		p := l.knock(l.stranger)
		p.send(hello(nil))
		answer(p, protocol.CodeKeyNotAuthorized)
		later(10 * time.Second)
	}
}

func fingerprintOf(id keys.Identity) string { return keys.Fingerprint(id.Public) }
