package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minissh/daemon/process"
)

func init() {
	// askpair asks a pair socket for a code, says the first thing that it hears, and waits for its input to end.
	process.Helper("askpair", func(args []string) int {
		ctx, cancel := context.WithCancel(context.Background())
		go func() { os.Stdin.Read(make([]byte, 1)); cancel() }()
		err := Control(ctx, []string{args[0]}, args[1], Offer{User: args[2], Count: 1}, func(event json.RawMessage) {
			var e PairingEvent
			if json.Unmarshal(event, &e) == nil && e.Started != nil {
				fmt.Printf("a code for %s, reachable %d\n", e.Started.User, len(e.Started.Reachable))
			}
		}, nil)
		if err != nil {
			fmt.Println(err)
		}
		return 0
	})
}

// asking asks as an account, and gives the first line of the answer; end takes the request back.
func asking(t *testing.T, acct process.Account, socket, verb, user string) (line string, end func()) {
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

// Each user gets a code for the own account, one at a time, from the socket that knows nothing else; the network is not
// opened by it (RULES A12), as it is by an administrator's.
func TestPairByUsers(t *testing.T) {
	l := accountsLab(t, Policy{Allow: []string{"msshtest*"}})
	key := newKey(t)
	ann, bob, locked := newAccount(t, key.Public), newAccount(t, key.Public), newAccount(t, key.Public, "-p", "!")
	dir, err := os.MkdirTemp("/tmp", "minissh-pair-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	control := filepath.Join(dir, "control")
	if err := l.ListenControl(control); err != nil {
		t.Fatal(err)
	}
	if err := l.ListenPairByUsers(control); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "pair")
	want := func(who process.Account, at, verb, user, words string) func() {
		t.Helper()
		line, end := asking(t, who, at, verb, user)
		if !strings.Contains(line, words) {
			t.Errorf("%s asks for %s for %s: %q, not %q\n%s", who.Name, verb, user, line, words, l.log)
		}
		return end
	}
	want(ann, socket, "pair", bob.Name, "may pair for its own account alone")()
	for _, other := range []string{locked.Name, "root", "msshtest-nobody", ""} { // why they could not log in is not for ann
		want(ann, socket, "pair", other, "may pair for its own account alone")()
	}
	want(locked, socket, "pair", locked.Name, "cannot log in here")()
	want(ann, socket, "who", "", "does not know")()
	want(ann, socket, "end", "", "does not know")()
	want(ann, control, "who", "", "permission denied")()
	annHas := want(ann, socket, "pair", ann.Name, "a code for "+ann.Name)
	want(ann, socket, "pair", ann.Name, "you have a code already")()
	bobHas := want(bob, socket, "pair", bob.Name, "a code for "+bob.Name)
	if l.pairings.underWay() {
		t.Error("users' codes open the network")
	}
	made, err := l.OfferPairing(Offer{User: ann.Name})
	if err != nil || !l.pairings.underWay() {
		t.Errorf("an administrator's code: %v", err)
	}
	made.Withdraw()
	annHas()
	bobHas()
	l.until("the codes are withdrawn", func() bool { l.pairings.mu.Lock(); defer l.pairings.mu.Unlock(); return len(l.pairings.codes) == 0 })
}

// Users together leave half of the codes to the administrator, and each waits a moment between two.
func TestUsersCodesAreBounded(t *testing.T) {
	p := newPairings()
	now := time.Unix(1e9, 0)
	for uid := range uint32(50) {
		if err := p.mayOffer(1000+uid, now); err != nil {
			t.Fatal(err)
		}
		p.codes = append(p.codes, &code{offer: &offering{account: process.Account{UID: 1000 + uid}, byUser: true}})
	}
	if err := p.mayOffer(2000, now); err == nil {
		t.Error("the fifty-first user")
	}
	p.codes = nil
	if err := p.mayOffer(1000, now.Add(999*time.Millisecond)); err == nil {
		t.Error("a second code within a second")
	}
	if err := p.mayOffer(1000, now.Add(time.Second)); err != nil || len(p.asked) != 1 {
		t.Errorf("%v, %v", err, p.asked)
	}
}
