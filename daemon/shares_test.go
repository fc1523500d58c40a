//go:build unix

package daemon

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
)

// What one user may take is well below what is there for all.
func TestSharesUntold(t *testing.T) {
	var o Options
	o.defaults()
	if want := (Shares{Sessions: 512, Commands: 512, AllCommands: 8192, Windows: 64 << 20, Logins: 50, Reserve: 16}); o.Shares != want {
		t.Errorf("%+v", o.Shares)
	}
	small := Options{MaxSessions: 1, MaxStartups: 1}
	small.defaults()
	if small.Shares.Reserve != 0 || small.Shares.Logins != 1 || small.Shares.Sessions < 1 {
		t.Errorf("one place for all: %+v", small.Shares)
	}
}

// second lets another key in.
func (l *lab) second() keys.Identity {
	l.t.Helper()
	id := newKey(l.t)
	l.access.mu.Lock()
	defer l.access.mu.Unlock()
	l.access.grants[keys.Fingerprint(id.Public)] = &Grant{Where: "test:2"}
	return id
}

// refusedWith is the code and the message with which the daemon refused, or ended a session.
func refusedWith(err error) (protocol.Code, string) {
	var said *protocol.RemoteError
	if errors.As(err, &said) {
		return said.Code, said.Message
	}
	return "", ""
}

// A key that opens sessions as fast as it can gets its share, is told whose limit it met, and neither keeps another key
// out nor slows what that does down to nothing (one key took all 4,096 sessions in four seconds).
func TestOneKeyTakesItsShareAlone(t *testing.T) {
	l := newLab(t, func(o *Options) { o.MaxSessions, o.Shares.Sessions = 200, 20 })
	other := l.second()
	before := l.warm()
	stop := make(chan struct{})
	var greedy sync.WaitGroup
	var mu sync.Mutex
	var taken []*mux.Session
	told := map[string]int{}
	enough := make(chan struct{})
	for range 4 {
		greedy.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				conn := l.tryOver(l.dial())
				if conn == nil {
					continue
				}
				s := mux.New(mux.Config{Role: mux.Client})
				_, err := s.Connect(conn, &protocol.Hello{User: user})
				mu.Lock()
				if err == nil {
					taken = append(taken, s)
				} else if code, message := refusedWith(err); code == protocol.CodeTooManySessions {
					if told[message]++; told[message] == 20 {
						close(enough)
					}
				}
				mu.Unlock()
			}
		})
	}
	within(t, "the greedy key is refused twenty times", enough)
	for range 10 { // and goes on meanwhile
		s, err := l.tryAs(user, other)
		if err != nil {
			t.Fatalf("the other key: %v", err)
		}
		if r := collect(t, shell(t, s, "echo in")); r.out != "in\n" {
			t.Errorf("the other key: %+v", r)
		}
		s.Close(nil)
	}
	close(stop)
	greedy.Wait()
	if len(taken) != 20 || len(told) != 1 || told["this key has 20 sessions, the most for one user (--max-sessions-per-user)"] == 0 {
		t.Errorf("%d sessions; told %v", len(taken), told)
	}
	taken[0].Close(nil)
	l.until("a place is free again", func() bool {
		s, err := l.tryAs(user, l.guest)
		if err == nil {
			s.Close(nil)
		}
		return err == nil
	})
	for _, s := range taken {
		s.Close(nil)
	}
	settle(t, before)
	l.shares.mu.Lock()
	defer l.shares.mu.Unlock()
	if len(l.shares.users) != 0 || l.shares.sessions.taken != 0 || l.shares.commands.taken != 0 {
		t.Errorf("left: %+v", l.shares)
	}
}

// The commands of a user are counted over all the user's sessions.
func TestCommandsAreCountedForEachUser(t *testing.T) {
	l := newLab(t, func(o *Options) { o.Shares.Commands, o.Shares.AllCommands, o.Shares.Reserve = 3, 4, -1 })
	other := l.second()
	first, second := l.session(nil), l.session(nil)
	stranger := l.as2(other)
	var running []*mux.Channel
	for _, s := range []*mux.Session{first, second, first, stranger} {
		ch := start(t, s, protocol.Open{Command: protocol.Bytes("echo ready; cat")})
		firstLine(t, ch)
		running = append(running, ch)
	}
	for _, c := range []struct {
		s    *mux.Session
		want string
	}{
		{second, "this key has 3 commands running, the most for one user (--max-commands-per-user)"},
		{stranger, "4 commands are the most here, for all users together"},
	} {
		if r := collect(t, shell(t, c.s, "touch "+filepath.Join(l.home, "pwned"))); r.exit != nil || r.refused == nil || r.refused.Code != "too_many_commands" || r.refused.Message != c.want {
			t.Errorf("%+v, %+v", r.exit, r.refused)
		}
	}
	ch, err := first.Open(&protocol.Open{Service: "files", Files: &protocol.Files{Mode: protocol.FilesPut}})
	if err != nil {
		t.Fatal(err)
	}
	if r := collect(t, ch); r.refused == nil || r.refused.Code != "too_many_commands" {
		t.Errorf("copying: %+v", r.refused)
	}
	running[0].EOF(protocol.TypeStdin)
	collect(t, running[0])
	l.until("there is room again", func() bool { return collect(t, shell(t, second, "true")).exit != nil })
	if _, err := os.Stat(filepath.Join(l.home, "pwned")); err == nil {
		t.Error("a refused command ran")
	}
	for _, ch := range running[1:] {
		ch.EOF(protocol.TypeStdin)
		collect(t, ch)
	}
	for _, s := range []*mux.Session{first, second, stranger} {
		s.Close(nil)
	}
}

// as2 logs another key of the daemon's account in.
func (l *lab) as2(id keys.Identity) *mux.Session {
	l.t.Helper()
	s, err := l.tryAs(user, id)
	if err != nil {
		l.t.Fatal(err)
	}
	return s
}

// Whose share something counts against, and who may use the reserve.
func TestSharer(t *testing.T) {
	key := newKey(t).Public
	own := &Server{opts: Options{Access: &listed{}}}
	all := &Server{opts: Options{Access: &Accounts{}}}
	ann, root := &peer{}, &peer{}
	ann.account.Name, ann.account.UID = "ann", 1001
	root.account.Name = "root"
	me := uint32(os.Geteuid())
	for _, c := range []struct {
		s    *Server
		who  *peer
		key  ssh.PublicKey
		want sharer
	}{
		{own, ann, key, sharer{keys.Fingerprint(key), "this key", false}},
		{all, ann, key, sharer{"uid 1001", "ann", false}},
		{all, root, key, sharer{"uid 0", "root", true}},
		{all, &peer{uid: 1001}, nil, sharer{"uid 1001", "uid 1001", me == 1001}},
		{all, &peer{uid: 0, account: ann.account}, nil, sharer{"uid 0", "uid 0", true}},
		{own, &peer{uid: me}, nil, sharer{(&Server{}).sharerOf(&peer{uid: me}, nil).id, (&Server{}).sharerOf(&peer{uid: me}, nil).id, true}},
	} {
		if got := c.s.sharerOf(c.who, c.key); got != c.want {
			t.Errorf("%+v, not %+v", got, c.want)
		}
	}
}

// The last places are root's, and not even root has more than all.
func TestReserve(t *testing.T) {
	o := Options{MaxSessions: 5, Shares: Shares{Sessions: 4, AllCommands: 5, Commands: 4, Reserve: 2}}
	o.defaults()
	s := newShares(&o)
	enter := func(id string, first bool) *share {
		mine, err := s.enterSession(sharer{id, id, first})
		if err != nil {
			return nil
		}
		return mine
	}
	a, b := enter("a", false), enter("b", false)
	if a == nil || b == nil || enter("a", false) == nil || enter("b", false) != nil || enter("c", false) != nil {
		t.Error("three places are there for all")
	}
	root := enter("root", true)
	if root == nil || enter("root", true) == nil || enter("root", true) != nil {
		t.Error("two places are root's")
	}
	for i, m := range []*share{a, a, b, b, root, root, root} {
		_, refused := m.enterCommand()
		if want := i == 3 || i == 6; (refused != nil) != want {
			t.Errorf("command %d: %+v", i, refused)
		}
	}
	g := newGate(4, 3, 1)
	ann, me := origin{uid: 1001}, origin{uid: 0, first: true}
	for range 3 {
		if _, ok := g.enter(ann); !ok {
			t.Error("ann has three places")
		}
	}
	if _, ok := g.enter(origin{network: netip.MustParsePrefix("192.0.2.1/32")}); ok {
		t.Error("the last place is root's")
	}
	if _, ok := g.enter(me); !ok {
		t.Error("root does not get in")
	}
}

// slowAccess knows nothing of one user for as long as it likes: a home on a server that does not answer, say.
type slowAccess struct {
	*listed
	slow chan struct{}
}

func (a *slowAccess) Authorize(name string, key ssh.PublicKey, from netip.Addr) (*Grant, error) {
	if name == "slow" {
		<-a.slow
		return nil, errNotListed
	}
	return a.listed.Authorize(name, key, from)
}

// Logins of a user of whom nothing can be learned take their share of the places of strangers, and leave the others to others.
func TestLoginsOfOneUserWait(t *testing.T) {
	access := &slowAccess{slow: make(chan struct{})}
	l := newLab(t, func(o *Options) {
		o.MaxStartups, o.MaxPerSource, o.Shares.Logins = 20, 20, 4
		access.listed = o.Access.(*listed)
		o.Access = access
	})
	before := l.warm()
	var waiting []*scripted
	login := func() *scripted {
		p := l.knock(l.guest)
		p.send(hello(func(h *protocol.Hello) { h.User = "slow" }))
		return p
	}
	for range 4 {
		waiting = append(waiting, login())
	}
	l.until("four wait", func() bool { l.shares.mu.Lock(); defer l.shares.mu.Unlock(); return l.shares.logins["slow"] == 4 })
	for range 30 { // more than there are places
		p := login()
		if reason := p.wantError(); reason.Code != protocol.CodeTooManySessions || !strings.Contains(reason.Message, "4 logins of this user wait") {
			t.Errorf("%+v", reason)
		}
	}
	if out, _ := l.run("echo in"); out != "in\n" {
		t.Errorf("another user: %q", out)
	}
	close(access.slow)
	for _, p := range waiting {
		if code := p.wantError().Code; code != protocol.CodeKeyNotAuthorized {
			t.Error(code)
		}
	}
	settle(t, before)
	if len(l.shares.logins) != 0 {
		t.Errorf("%v", l.shares.logins)
	}
}

// On a Unix socket a uid is a source, and what is said of it needs no byte from the client.
func TestOriginOnUnixSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l := newLab(t, nil, "unix:"+socket)
	conn := l.dial()
	defer conn.Close()
	me := origin{uid: uint32(os.Geteuid()), first: true}
	l.until("the stranger is inside", func() bool { l.gate.mu.Lock(); defer l.gate.mu.Unlock(); return l.gate.sources[me] == 1 })
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	from := netip.MustParseAddr("127.0.0.1")
	client, err := net.Dial("tcp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if got := l.originOf(client, from); got != (origin{network: source(from)}) {
		t.Errorf("%+v", got)
	}
}
