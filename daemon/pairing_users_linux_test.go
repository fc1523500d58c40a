package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minissh/daemon/access"
	"minissh/daemon/control"
	"minissh/daemon/process"
)

func init() {
	// askpair asks a pair socket for a code, says the first thing that it hears, and waits for its
	// input to end.
	process.Helper("askpair", func(args []string) int {
		ctx, cancel := context.WithCancel(context.Background())
		go func() { os.Stdin.Read(make([]byte, 1)); cancel() }()
		err := control.Ask(ctx, []string{args[0]}, args[1], control.Offer{User: args[2], Count: 1},
			func(event json.RawMessage) {
				var e control.PairingEvent
				if json.Unmarshal(event, &e) == nil && e.Started != nil {
					fmt.Printf("a code for %s, reachable %d\n", e.Started.User,
						len(e.Started.Reachable))
				}
			}, nil)
		if err != nil {
			fmt.Println(err)
		}
		return 0
	})
}

// asking asks as an account, and returns the first line of the answer; end withdraws the request.
func asking(t *testing.T, acct process.Account, socket, verb, user string) (line string,
	end func()) {
	t.Helper()
	p, err := process.StartSelf(acct, "askpair", socket, verb, user)
	if err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 400)
	n, _ := p.Stdout.Read(said)
	line, _, _ = strings.Cut(string(said[:n]), "\n")
	return line, func() {
		p.Stdin.Close()
		<-p.Done()
		p.Close()
	}
}

// Each user gets a code for the own account, one at a time, from the socket that only does this; it
// does not open the daemon to the network (RULES A12), as an administrator's does.
func TestPairByUsers(t *testing.T) {
	l := accountsLab(t, access.Policy{Allow: []string{"msshtest*"}})
	key := newKey(t)
	ann, bob, locked := newAccount(t, key.Public), newAccount(t, key.Public),
		newAccount(t, key.Public, "-p", "!")
	dir, err := os.MkdirTemp("/tmp", "minissh-pair-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "control")
	if err := l.desk.Listen(path); err != nil {
		t.Fatal(err)
	}
	if err := l.desk.ListenForUsers(path); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "pair")
	want := func(who process.Account, at, verb, user, words string) func() {
		t.Helper()
		line, end := asking(t, who, at, verb, user)
		if !strings.Contains(line, words) {
			t.Errorf("%s asks for %s for %s: %q, not %q\n%s", who.Name, verb, user, line, words,
				l.log)
		}
		return end
	}
	want(ann, socket, "pair", bob.Name, "may pair for its own account alone")()
	// ann must not learn why they could not log in
	for _, other := range []string{locked.Name, "root", "msshtest-nobody", ""} {
		want(ann, socket, "pair", other, "may pair for its own account alone")()
	}
	want(locked, socket, "pair", locked.Name, "cannot log in here")()
	want(ann, socket, "who", "", "does not know")()
	want(ann, socket, "end", "", "does not know")()
	want(ann, path, "who", "", "permission denied")()
	annHas := want(ann, socket, "pair", ann.Name, "a code for "+ann.Name)
	want(ann, socket, "pair", ann.Name, "you have a code already")()
	bobHas := want(bob, socket, "pair", bob.Name, "a code for "+bob.Name)
	annHas()
	bobHas()
	l.until("the codes are withdrawn", func() bool { // an administrator may have all there are
		made, err := l.desk.Offer(control.Offer{User: ann.Name, Count: 100})
		if err == nil {
			made.Withdraw()
		}
		return err == nil
	})
}
