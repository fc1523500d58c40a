//go:build unix

package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"minissh/daemon/access"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
)

// second admits another key.
func (l *lab) second() keys.Identity {
	l.t.Helper()
	id := newKey(l.t)
	l.access.mu.Lock()
	defer l.access.mu.Unlock()
	l.access.grants[keys.Fingerprint(id.Public)] = &access.Grant{Where: "test:2"}
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

// A key that opens sessions as fast as it can gets its share and learns whose limit it met. It
// neither keeps another key out nor slows that down to nothing (one key took all 4,096 sessions in
// four seconds).
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
	if len(taken) != 20 || len(told) != 1 ||
		told["this key has 20 sessions, the most for one user (--max-sessions-per-user)"] == 0 {
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
	for range 20 { // all places are free again
		s := l.session(nil)
		defer s.Close(nil)
	}
}

// The commands of a user are counted over all the user's sessions.
func TestCommandsAreCountedForEachUser(t *testing.T) {
	l := newLab(t, func(o *Options) {
		o.Shares.Commands, o.Shares.AllCommands, o.Shares.Reserve = 3,
			4, -1
	})
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
		{stranger, "this daemon allows 4 commands at most, for all users together"},
	} {
		if r := collect(t, shell(t, c.s, "touch "+filepath.Join(l.home, "pwned"))); r.exit != nil ||
			r.refused == nil || r.refused.Code != "too_many_commands" ||
			r.refused.Message != c.want {
			t.Errorf("%+v, %+v", r.exit, r.refused)
		}
	}
	ch, err := first.Open(&protocol.Open{
		Service: "files", Files: &protocol.Files{Mode: protocol.FilesPut}})
	if err != nil {
		t.Fatal(err)
	}
	if r := collect(t, ch); r.refused == nil || r.refused.Code != "too_many_commands" {
		t.Errorf("copying: %+v", r.refused)
	}
	running[0].EOF(protocol.TypeStdin)
	collect(t, running[0])
	l.until("there is room again",
		func() bool { return collect(t, shell(t, second, "true")).exit != nil })
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

// slowAccess knows nothing of one user for as long as it likes: a home on a server that does not
// answer, say.
type slowAccess struct {
	*listed
	slow    chan struct{}
	entered chan struct{}
}

func (a *slowAccess) Authorize(who *access.Client) (*access.Grant, error) {
	if who.User == "slow" {
		a.entered <- struct{}{}
		<-a.slow
		return nil, errNotListed
	}
	return a.listed.Authorize(who)
}

// Logins of a user about whom nothing can be learned take their share of the places for strangers,
// and leave the rest to others.
func TestLoginsOfOneUserWait(t *testing.T) {
	knows := &slowAccess{slow: make(chan struct{}), entered: make(chan struct{}, 5)}
	l := newLab(t, func(o *Options) {
		o.MaxStartups, o.MaxPerSource, o.Shares.Logins = 20, 20, 4
		knows.listed = o.Access.(*listed)
		o.Access = knows
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
	for range 4 {
		within(t, "four wait", knows.entered)
	}
	for range 30 { // more than there are places
		p := login()
		if reason := p.wantError(); reason.Code != protocol.CodeTooManySessions ||
			!strings.Contains(reason.Message, "4 logins of this user wait") {
			t.Errorf("%+v", reason)
		}
	}
	if out, _ := l.run("echo in"); out != "in\n" {
		t.Errorf("another user: %q", out)
	}
	close(knows.slow)
	for _, p := range waiting {
		if code := p.wantError().Code; code != protocol.CodeKeyNotAuthorized {
			t.Error(code)
		}
	}
	settle(t, before)
	if code := login().wantError().Code; code != protocol.CodeKeyNotAuthorized {
		t.Errorf("a login when none waits: %s", code)
	}
}
