package daemon

import (
	"net"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/access"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// One account's key opens sessions as fast as it can, on TCP. Meanwhile another account logs in,
// and root too although all the places that are not reserved are taken.
func TestOneAccountTakesItsShareAlone(t *testing.T) {
	needAccounts(t)
	socket := filepath.Join(t.TempDir(), "s")
	l := newLab(t, func(o *Options) {
		root, err := process.CurrentAccount()
		if err != nil {
			t.Fatal(err)
		}
		access, err := access.NewAccounts(root, access.Policy{}, access.DefaultAccountFiles,
			access.Trust{}, o.Log)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { access.Close() })
		o.Account, o.Access = root, access
		o.MaxSessions, o.Shares.Sessions, o.Shares.Reserve = 18, 8, 2
	}, "127.0.0.1:0", "unix:"+socket)
	key := newKey(t)
	ann, bob := newAccount(t, l.guest.Public), newAccount(t, key.Public)
	own(t, ann, keyFile(ann), 0o600, append(ssh.MarshalAuthorizedKey(l.guest.Public),
		ssh.MarshalAuthorizedKey(key.Public)...))
	stop := make(chan struct{})
	var greedy sync.WaitGroup
	var mu sync.Mutex
	var taken []*mux.Session
	refused, enough := 0, make(chan struct{})
	for i := range 2 { // ann's two keys have one share
		id := l.guest
		if i == 1 {
			id = key
		}
		greedy.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				s, err := l.tryAs(ann.Name, id)
				mu.Lock()
				if err == nil {
					taken = append(taken, s)
				} else if code, message := refusedWith(err); code == protocol.CodeTooManySessions {
					own := message == ann.Name+
						" has 8 sessions, the most for one user (--max-sessions-per-user)"
					if all :=
						message == "this daemon allows 18 sessions at most, for all users "+
							"together"; !own &&
						!(all && refused >= 20) {
						t.Errorf("%q", message)
					}
					if refused++; refused == 20 {
						close(enough)
					}
				}
				mu.Unlock()
			}
		})
	}
	within(t, "ann is refused twenty times", enough)
	for range 8 {
		s := l.as(bob, key)
		if r := collect(t, shell(t, s, "id -un")); r.out != bob.Name+"\n" {
			t.Errorf("%+v", r)
		}
	}
	_, err := l.tryAs(bob.Name, key)
	if code, _ := refusedWith(err); code != protocol.CodeTooManySessions {
		t.Errorf("bob's ninth session: %q", code)
	}
	// 16 of 18 are taken: the rest is root's, whatever user it logs in as
	for _, name := range []string{"root", ann.Name} {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		s := mux.New(mux.Config{Role: mux.Client})
		if _, err := s.Connect(conn, &protocol.Hello{User: name}); err != nil {
			t.Fatalf("root: %v", err)
		}
		if r := collect(t, shell(t, s, "id -un")); r.out != name+"\n" {
			t.Errorf("%+v", r)
		}
		t.Cleanup(func() { s.Close(nil) })
	}
	close(stop)
	greedy.Wait()
	if len(taken) != 8 {
		t.Errorf("ann has %d sessions", len(taken))
	}
	for _, s := range taken {
		s.Close(nil)
	}
}
