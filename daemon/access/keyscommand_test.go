//go:build linux

package access

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/logbook"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/keys"
)

// What a key file leaves open, a command that does not list the key does not decide: a session that
// waits for its client is not ended by it.
func TestCommandAfterOpenQuestion(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	var log bytes.Buffer
	a, err := NewAccounts(process.Account{Name: "root", Home: "/root"}, Policy{}, nil, Trust{},
		slog.New(slog.NewTextHandler(&log, nil)))
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
			if _, got := errors.AsType[Revoked](err); err == nil || got != (sure && !unsure) ||
				unsure != strings.Contains(err.Error(), "cannot tell: it ended with code 1") {
				t.Errorf("%s after %#v: %#v", program, why, err)
			}
		}
	}
	// whoever tries keys can have it asked at will, so the log says it once
	if text := log.String(); strings.Contains(text, "bad ownership") ||
		strings.Count(text, "The command that lists keys failed") != 1 ||
		!strings.Contains(text, "program=/bin/false error=\"it ended with code 1\"\n") {
		t.Errorf("the log says %s", text)
	}
	killed := &KeysCommand{Words: []string{"/bin/sh", "-c", "kill -KILL $$"}, User: "root"}
	report := a.listed(context.Background(), killed, a.own, who, who.Proof)
	if report.Err == nil || report.Err.Error() != "it was ended by the signal KILL" {
		t.Errorf("%v", report.Err)
	}
}

// A file that is being replaced may list the key again soon, whatever a command says meanwhile.
func TestCommandWhileFileIsReplaced(t *testing.T) {
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
	_, no := a.findListed(context.Background(), &KeysCommand{Words: []string{"/bin/true"},
		User: "root"}, a.own, who, &Trust{}, Revoked{errors.New("not listed"), []string{"/a/file"}})
	revoked, _ := errors.AsType[Revoked](no)
	if !slices.Contains(revoked.Missing, "/a/file") {
		t.Errorf("%#v", no)
	}
}

// Strangers who have a command asked about a user take none of the places of that user's logins.
func TestCommandHoldsNoPlace(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	dir := t.TempDir()
	asked, answer := filepath.Join(dir, "asked"), filepath.Join(dir, "answer")
	for _, fifo := range []string{asked, answer} {
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	listed := newKey(t)
	file := filepath.Join(dir, "keys")
	if err := os.WriteFile(file, ssh.MarshalAuthorizedKey(listed.Public), 0o600); err != nil {
		t.Fatal(err)
	}
	own := process.Account{Name: "root", Home: dir}
	book, err := Plain(own, Terms{Files: []string{file}, Policy: Policy{PAM: true},
		Keys: &KeysCommand{User: "root",
			Words: []string{"/bin/sh", "-c", "echo >" + asked + "; cat " + answer}}})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	a := AccountsBy(book, log)
	defer a.Close()
	g := NewGuard(Rules{Account: own, Access: a, Shares: Shares{Logins: 1}},
		logbook.NewTally(log), nil)
	login := func(key keys.Identity) error {
		return g.Authorize(&Client{User: "root", Proof: keys.Proof{Key: key.Public},
			Addr: netip.MustParseAddrPort("127.0.0.1:1")}, key.Public, &protocol.Hello{})
	}
	stranger := make(chan error)
	go func() { stranger <- login(newKey(t)) }()
	if _, err := os.ReadFile(asked); err != nil { // until it is asked
		t.Fatal(err)
	}
	if err := login(listed); err != nil {
		t.Errorf("a key that is listed: %v", err)
	}
	if err := os.WriteFile(answer, nil, 0); err != nil {
		t.Fatal(err)
	}
	if err := <-stranger; err == nil {
		t.Error("a stranger is let in")
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
