package announce

import (
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol/mdns"
	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Main(m) }

// All askers together, and each address, get a bounded number of answers a second.
func TestQuota(t *testing.T) {
	var q quota
	now := time.Unix(1, 0)
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}) }
	count := func(now time.Time, addresses int) (sent int) {
		for range 100 {
			for i := range addresses {
				if q.take(address(i), now) {
					sent++
				}
			}
		}
		return sent
	}
	if one := count(now, 1); one != 4 {
		t.Errorf("%d answers to one", one)
	}
	if all := count(now.Add(time.Second), 200); all != 64 {
		t.Errorf("%d answers in all", all)
	}
	if all := count(now.Add(1999*time.Millisecond), 200); all != 0 {
		t.Errorf("%d answers more", all)
	}
}

// newQuiet is a responder without sockets, on one interface, and how it answers.
func newQuiet() (*responder, *entry) {
	r := newResponder(Config{Hostname: "web1.example", Log: slog.New(slog.DiscardHandler)})
	r.hub = &hub{closing: make(chan struct{})}
	r.view = view{fingerprint: "SHA256:x", at: []netip.AddrPort{
		netip.MustParseAddrPort("0.0.0.0:7422")}, interfaces: []mdns.Interface{{Index: 2,
		Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")}}}}
	r.hub.interfaces = r.view.interfaces
	r.see(r.view)
	return r, r.entries[0]
}

// workUntil lets fake time pass.
func workUntil(t *testing.T, r *responder, is func() bool) {
	t.Helper()
	for range 1000 {
		if is() {
			return
		}
		<-time.After(r.wait())
		r.work()
	}
	t.Fatal("it does not come")
}

// A name is claimed by three probes within a second, and announced twice.
func TestClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, e := newQuiet()
		began := time.Now()
		workUntil(t, r, func() bool { return e.step == firstAnnouncement })
		if took := time.Since(began); took > time.Second || took < 500*time.Millisecond {
			t.Errorf("it probes for %v", took)
		}
		workUntil(t, r, func() bool { return e.step == published })
		if e.name() != "web1" {
			t.Error(e.name())
		}
	})
}

// Somebody who claims every name that we ask for makes us rest, and no name endless.
func TestConflictsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, e := newQuiet()
		conflicts := 0
		for began := time.Now(); time.Since(began) < time.Minute; {
			<-time.After(r.wait())
			r.work()
			p := e.on[0]
			liar := p.service
			liar.Port++
			m, err := mdns.Parse(liar.Announcement())
			if err != nil {
				t.Fatal(err)
			}
			before := e.number
			r.answered(e, p, m.Answer)
			if e.number != before {
				conflicts++
			}
		}
		if conflicts < 10 || conflicts > 90 {
			t.Errorf("%d names in a minute", conflicts)
		}
		e.number = numbersMost - 1
		e.conflicts, e.since = 0, time.Now()
		r.conflict(e, time.Now())
		if e.name() != "web1-2" {
			t.Error(e.name())
		}
	})
}

// Everybody is told at most once a second, however many ask; what was taken back by somebody else
// is told again within that second.
func TestToldOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, e := newQuiet()
		workUntil(t, r, func() bool { return e.step == published })
		p := e.on[0]
		told, last := 0, p.last
		tick := func() { <-time.After(time.Millisecond) }
		for began := time.Now(); time.Since(began) < 10*time.Second; tick() {
			p.schedule(time.Now(), answerGap)
			if r.work(); p.last != last {
				told, last = told+1, p.last
			}
		}
		if told < 8 || told > 10 {
			t.Errorf("told %d times in ten seconds", told)
		}
		<-time.After(2 * time.Second)
		r.work()
		m, _ := mdns.Parse(p.service.Goodbye())
		r.answered(e, p, m.Answer)
		if wait := r.wait(); wait <= 0 || wait > time.Second {
			t.Errorf("told again after %v", wait)
		}
	})
}

// What changes under a name is announced at once; an interface that is new is asked first; a port
// that is gone is taken back.
func TestUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, e := newQuiet()
		workUntil(t, r, func() bool { return e.step == published })
		v := r.view
		v.fingerprint = "SHA256:new"
		r.see(v)
		if e.step != firstAnnouncement || e.on[0].service.Fingerprint != "SHA256:new" {
			t.Errorf("a new key: step %d", e.step)
		}
		workUntil(t, r, func() bool { return e.step == published })
		r.see(v)
		if e.step != published {
			t.Error("announced although nothing is new")
		}
		v.at = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:7500")}
		r.see(v)
		if len(r.entries) != 1 || r.entries[0].port != 7500 {
			t.Errorf("%d entries", len(r.entries))
		}
		v.at = nil
		r.see(v)
		if len(r.entries) != 0 || r.hub != nil {
			t.Error("nobody could log in, and something is announced")
		}
	})
}

// Only addresses where the daemon listens are announced, and at most eight ports.
func TestView(t *testing.T) {
	on := &mdns.Interface{Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"),
		netip.MustParsePrefix("192.0.2.2/24"), netip.MustParsePrefix("fe80::1/64")}}
	for listens, want := range map[string]string{
		"0.0.0.0:1": "[192.0.2.1 192.0.2.2]", "[::]:1": "[fe80::1]", "192.0.2.2:1": "[192.0.2.2]",
		"198.51.100.1:1": "[]", "[fe80::1%eth0]:1": "[fe80::1]", "0.0.0.0:2": "[]",
	} {
		v := view{at: []netip.AddrPort{netip.MustParseAddrPort(listens)}}
		if got := fmt.Sprint(v.addresses(on, 1)); got != want {
			t.Errorf("%s: %s", listens, got)
		}
	}
	var v view
	for i := range 20 {
		v.at = append(v.at, netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(1+i/2)))
	}
	if len(v.ports()) != maxPorts {
		t.Error(v.ports())
	}
}

// While it looks, or waits for a look that hangs, Close returns; Wait when the look is over.
func TestCloseWaitsForNoLook(t *testing.T) {
	hangs, looking := make(chan struct{}), make(chan struct{})
	a := Start(Config{Hostname: "x", Log: slog.New(slog.DiscardHandler),
		Now: func() (string, []netip.AddrPort) {
			close(looking)
			<-hangs
			return "", nil
		}})
	<-looking
	a.Look()
	a.Close(true)
	a.Close(false)
	close(hangs)
	a.Wait()
	var none *Announcer
	none.Look()
	none.Close(true)
	none.Wait()
}
