//go:build linux

package access

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"testing"

	"minissh/daemon/process"
	"minissh/protocol/keys"
)

// What a key file leaves open, a command that does not list the key does not decide: a session that
// waits for its client is not ended by it.
func TestCommandAfterOpenQuestion(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	a, err := NewAccounts(process.Account{Name: "root", Home: "/root"}, Policy{}, nil, Trust{},
		slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	who := &Client{User: "root", Addr: netip.MustParseAddrPort("192.0.2.1:1"),
		Proof: keys.Proof{Key: newKey(t).Public}}
	open := errors.New("a file could not be read")
	for program, unsure := range map[string]bool{"/bin/true": false, "/bin/false": true} {
		list := &KeysCommand{Words: []string{program}, User: "root"}
		for _, why := range []error{open, Revoked{Err: open}} {
			_, sure := errors.AsType[Revoked](why)
			_, err := a.findListed(context.Background(), list, a.own, who, &Trust{}, why)
			if _, got := errors.AsType[Revoked](err); err == nil || got != (sure && !unsure) {
				t.Errorf("%s after %#v: %#v", program, why, err)
			}
		}
	}
}

// A daemon that does not ask PAM goes on judging accounts itself, whatever settings that are read
// again say: they wait for the next daemon.
func TestPAMStaysAsItBegan(t *testing.T) {
	own := process.Account{Name: "root", Home: "/root"}
	for _, began := range []bool{false, true} {
		a, err := NewAccounts(own, Policy{PAM: began}, nil, Trust{},
			slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		book, err := Plain(own, Terms{Policy: Policy{PAM: !began}})
		if err != nil {
			t.Fatal(err)
		}
		if a.Change(book); a.asksPAM != began {
			t.Errorf("it began with %v, and is %v now", began, a.asksPAM)
		}
	}
}
