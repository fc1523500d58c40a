//go:build unix

package daemon

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/access"
	"minissh/daemon/match"
	"minissh/daemon/service"
	"minissh/protocol"
)

// bookOf is a book whose one section is a Match line; in and out of it are what changes the terms.
func bookOf(t *testing.T, o *Options, line string, out, in func(*access.Terms)) *access.Book {
	t.Helper()
	section, err := match.Parse(strings.Fields(line))
	if err != nil {
		t.Fatal(err)
	}
	book, err := access.NewBook(o.Account, []*match.Line{section},
		func(holding []int) (*access.Terms, error) {
			terms := &access.Terms{Files: []string{o.Account.Home + "/authorized_keys"},
				Hold: time.Hour, MaxChannels: protocol.MinChannels, Permits: access.Permits{
					Forwarding: service.ForwardYes, Subsystems: o.Subsystems}}
			out(terms)
			if len(holding) > 0 {
				in(terms)
			}
			return terms, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// settledLab is a daemon with such a book, and what changes it.
func settledLab(t *testing.T, line string, in func(*access.Terms)) (l *lab,
	change func(line string, out, in func(*access.Terms))) {
	t.Helper()
	var o *Options
	var settled access.Access
	same := func(*access.Terms) {}
	l = newLab(t, func(given *Options) {
		o = given
		settled = access.FileAccessBy(bookOf(t, o, line, same, in), o.Log)
		o.Access = settled
	})
	write(t, o.Account.Home+"/authorized_keys",
		string(ssh.MarshalAuthorizedKey(l.guest.Public)))
	return l, func(line string, out, in func(*access.Terms)) {
		settled.(access.Changer).Change(bookOf(t, o, line, out, in))
	}
}

// A client that comes back from an address for which something else is allowed is refused, and its
// session waits; what holds for sessions and not for channels does not count (RULES B17).
func TestTermsOfAnotherAddress(t *testing.T) {
	for name, c := range map[string]struct {
		in   func(*access.Terms)
		from string
		want protocol.Code
	}{
		"the same": {func(*access.Terms) {}, "192.0.2.7", ""},
		"no forwarding": {func(t *access.Terms) { t.Forwarding = service.ForwardNo }, "192.0.2.7",
			protocol.CodeKeyNotAuthorized},
		"not that address": {func(t *access.Terms) { t.Forwarding = service.ForwardNo },
			"192.0.2.8", ""},
		"a forced command": {func(t *access.Terms) { t.ForceCommand = "true" }, "192.0.2.7",
			protocol.CodeKeyNotAuthorized},
		"another hold": {func(t *access.Terms) { t.Hold = -1 }, "192.0.2.7", ""},
		"another key file": {func(t *access.Terms) { t.Files = nil }, "192.0.2.7",
			protocol.CodeSessionEnded},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := settledLab(t, "address 192.0.2.7", c.in)
			r := l.resumer().mustAttach()
			ch := start(t, r.Session, protocol.Open{Command: protocol.Bytes("echo ready; cat")})
			firstLine(t, ch)
			code, message := refusedWith(r.attachFrom(c.from))
			if code != c.want {
				t.Fatalf("%q %s\n%s", code, message, l.log)
			}
			if code == protocol.CodeKeyNotAuthorized {
				if !strings.HasPrefix(message, "other settings hold for your address") {
					t.Error(message)
				}
				if err := r.attach(); err != nil {
					t.Fatalf("the session did not wait: %v", err)
				}
			}
			if code != protocol.CodeSessionEnded {
				ch.EOF(protocol.TypeStdin)
				if got := collect(t, ch); got.exit == nil {
					t.Errorf("%+v", got)
				}
			}
			r.Close(nil)
		})
	}
}

// What changes holds for each channel that opens from then on, in sessions that are there too.
func TestTermsChange(t *testing.T) {
	l, change := settledLab(t, "user nobody-at-all", func(*access.Terms) {})
	s := l.session(nil)
	defer s.Close(nil)
	same := func(*access.Terms) {}
	runs := func() string {
		return collect(t, start(t, s, protocol.Open{Command: protocol.Bytes("echo asked")})).out
	}
	forwards := func() bool {
		group := connection(t, s, nil, 0)
		defer group.Close(nil)
		return opened(group)
	}
	if got := runs(); got != "asked\n" || !forwards() {
		t.Fatalf("%q", got)
	}
	change("all", same, func(t *access.Terms) { t.ForceCommand = "echo forced" })
	if got := runs(); got != "forced\n" || forwards() {
		t.Errorf("%q, or it forwards", got)
	}
	fingerprint := fingerprintOf(l.guest)
	change("key "+fingerprint, same, func(t *access.Terms) { t.Forwarding = service.ForwardNo })
	if got := runs(); got != "asked\n" || forwards() {
		t.Errorf("%q, or it forwards", got)
	}
	change("key SHA256:x", func(t *access.Terms) { t.SetEnv = []string{"A=set"} },
		func(t *access.Terms) { t.Forwarding = service.ForwardNo })
	if got := runs(); got != "asked\n" || !forwards() {
		t.Errorf("%q, or it does not forward", got)
	}
}

// What is said of an address holds for a client that has come to be there, and the log says where.
func TestTermsWhereTheClientIs(t *testing.T) {
	same := func(*access.Terms) {}
	l, change := settledLab(t, "address 192.0.2.7", same)
	r := l.resumer().mustAttach()
	defer r.Close(nil)
	if err := r.attachFrom("192.0.2.7"); err != nil {
		t.Fatal(err)
	}
	change("address 192.0.2.7", same, func(t *access.Terms) {
		t.ForceCommand = "set -- $SSH_CLIENT; echo forced for $1"
	})
	if got := collect(t, shell(t, r.Session, "echo asked")); got.out != "forced for 192.0.2.7\n" {
		t.Errorf("%+v", got)
	}
	l.log.want(t, "Starting command for tester from 192.0.2.7")
}

// The limits of a user and of a key are those of the terms, for what begins from now on.
func TestLimitsOfTerms(t *testing.T) {
	same := func(*access.Terms) {}
	l, change := settledLab(t, "all", func(t *access.Terms) { t.Most.KeySessions = 1 })
	first := l.session(nil)
	defer first.Close(nil)
	refused := func(limit string) {
		t.Helper()
		code, message := refusedWith(l.resumer().attach())
		if code != protocol.CodeTooManySessions || !strings.Contains(message, limit) {
			t.Errorf("%q %s", code, message)
		}
	}
	refused("--max-sessions-per-key")
	change("all", func(t *access.Terms) { t.Most.Sessions = 1 }, same)
	refused("--max-sessions-per-user")
	change("all", same, func(t *access.Terms) { t.Most.KeyCommands = 1 })
	l.resumer().mustAttach().Close(nil)
	busy := start(t, first, protocol.Open{Command: protocol.Bytes("echo ready; cat")})
	firstLine(t, busy)
	one := protocol.Open{Command: protocol.Bytes("echo x")}
	if r := collect(t, start(t, first, one)); r.refused == nil ||
		!strings.Contains(r.refused.Message, "--max-commands-per-key") {
		t.Errorf("%+v", r)
	}
	change("all", same, same)
	if r := collect(t, start(t, first, one)); r.out != "x\n" {
		t.Errorf("%+v", r)
	}
	busy.EOF(protocol.TypeStdin)
	collect(t, busy)
}

// slowTerms takes its time for a login if told to.
type slowTerms struct {
	access.Access
	slow     chan struct{} // has room for one; who takes what is in it waits
	waits    chan struct{} // closed by who waits
	released chan struct{}
}

func (a *slowTerms) Terms(*access.Client) (*access.Terms, error) {
	select {
	case <-a.slow:
		close(a.waits)
		<-a.released
	default:
	}
	return &access.Terms{MaxChannels: protocol.MinChannels,
		Permits: access.Permits{Forwarding: service.ForwardYes}}, nil
}

// While the terms of a login are looked up (groups by NSS, say), others log in.
func TestNobodyWaitsForOthersTerms(t *testing.T) {
	a := &slowTerms{slow: make(chan struct{}, 1), waits: make(chan struct{}),
		released: make(chan struct{})}
	l := newLab(t, func(o *Options) { a.Access, o.Access = o.Access, a })
	a.slow <- struct{}{}
	slow := make(chan struct{})
	go func() {
		defer close(slow)
		l.session(nil).Close(nil)
	}()
	within(t, "a login's terms are looked up", a.waits)
	other := make(chan struct{})
	go func() {
		defer close(other)
		l.session(nil).Close(nil)
	}()
	within(t, "another one logs in", other)
	close(a.released)
	within(t, "the slow one logs in", slow)
}
