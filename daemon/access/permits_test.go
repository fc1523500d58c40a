package access

import (
	"strings"
	"testing"

	"minissh/daemon/authorized"
	"minissh/protocol"
)

// What settings take away is taken from every key, and force-command closes what command= before a
// key closes.
func TestUnder(t *testing.T) {
	all := []authorized.Service{authorized.Exec, authorized.Lines, authorized.Subsystem,
		authorized.PTY, authorized.Files, authorized.Forward, authorized.Job, authorized.Agent}
	for _, c := range []struct {
		options string // of a key; "": the kernel has named the user
		permits Permits
		open    string
	}{
		{"", Permits{}, "exec lines subsystem pty files forward job agent"},
		{"", Permits{NoTTY: true}, "exec lines subsystem files forward job agent"},
		{"", Permits{ForceCommand: "x"}, "exec subsystem pty"},
		{"", Permits{ForceCommand: "x", CopiesFiles: true}, "exec subsystem pty files"},
		{"", Permits{ForceCommand: "x", NamesForwarding: true}, "exec subsystem pty forward"},
		{"", Permits{ForceCommand: "x", NamesAgents: true}, "exec subsystem pty agent"},
		{"port-forwarding", Permits{ForceCommand: "x"}, "exec subsystem pty forward"},
		{"agent-forwarding", Permits{ForceCommand: "x"}, "exec subsystem pty agent"},
		{"no-port-forwarding", Permits{ForceCommand: "x", NamesForwarding: true},
			"exec subsystem pty"},
		{"restrict", Permits{ForceCommand: "x", CopiesFiles: true}, "exec subsystem"},
		{`command="y"`, Permits{ForceCommand: "x", NamesForwarding: true}, "exec subsystem pty"},
		{`minissh-files="/srv"`, Permits{ForceCommand: "x"}, "subsystem"},
		{`minissh-files="/srv"`, Permits{ForceCommand: "x", CopiesFiles: true}, "subsystem files"},
	} {
		grant := &Grant{}
		if c.options != "" {
			file, problems := authorized.Parse("f", []byte(c.options+" ssh-ed25519 "+
				"AAAAC3NzaC1lZDI1NTE5AAAAIJiCMmBoHzwoSWTJEeD3Sya2pEVNFwqPQhW7Q6ILRQCR x\n"))
			if len(file.Entries) != 1 {
				t.Fatal(problems)
			}
			grant = new(reading).grant(file.Entries[0], &Trust{})
		}
		now := grant.under(&c.permits)
		var open []string
		for _, service := range all {
			if now.Allows(service) == nil {
				open = append(open, service.Name)
			}
		}
		if got := strings.Join(open, " "); got != c.open {
			t.Errorf("%s with %+v: %s", c.options, c.permits, got)
		}
		if c.permits.ForceCommand != "" && (!now.Forced || now.Command != "x") {
			t.Errorf("%s: %q is forced", c.options, now.Command)
		}
	}
}

// permit-open and permit-listen hold besides a key's own, and none is not any.
func TestPermitLists(t *testing.T) {
	target := &protocol.Target{Host: "lab", Port: 80}
	for _, c := range []struct {
		list []string
		in   bool
	}{{nil, true}, {[]string{}, false}, {[]string{"lab:80"}, true}, {[]string{"lab:81"}, false},
		{[]string{"*:80"}, true}, {[]string{"x:1", "lab:*"}, true}} {
		now := (&Grant{}).under(&Permits{PermitOpen: c.list, PermitListen: c.list})
		if in := now.MayConnect(target) == nil; in != c.in {
			t.Errorf("%v: connect %v", c.list, in)
		}
		if in := now.MayListen(target) == nil; in != c.in {
			t.Errorf("%v: listen %v", c.list, in)
		}
		if socket := (&protocol.Target{Path: protocol.Bytes("/s")}); c.list != nil &&
			(now.MayConnect(socket) == nil || now.MayListen(socket) == nil) {
			t.Errorf("%v: a Unix socket", c.list)
		}
	}
}

// One key of an account may have as many sessions and commands as its own limit says, next to
// others of the same account.
func TestKeyLimits(t *testing.T) {
	rules := Rules{MaxSessions: 100}
	rules.Defaults()
	s := newShares(&rules)
	ann := sharer{id: "uid 1", words: "ann"}
	most := Most{KeySessions: 2, KeyCommands: 1, Commands: 2}
	enter := func(key string) *Place {
		place, err := s.enterSession(ann, key, most)
		if err != nil {
			return nil
		}
		return place
	}
	first, second := enter("a"), enter("a")
	if first == nil || second == nil || enter("a") != nil {
		t.Error("not two sessions of a key")
	}
	other := enter("b")
	if other == nil {
		t.Fatal("another key has no session")
	}
	leave, refused := first.EnterCommand(&Client{Key: "a"}, most)
	if refused != nil {
		t.Fatal(refused)
	}
	if _, refused := second.EnterCommand(&Client{Key: "a"}, most); refused == nil ||
		!strings.Contains(refused.Message, "--max-commands-per-key") {
		t.Error(refused)
	}
	if _, refused := other.EnterCommand(&Client{Key: "b"}, most); refused != nil {
		t.Error(refused)
	}
	if _, refused := other.EnterCommand(&Client{Key: "c"}, most); refused == nil ||
		!strings.Contains(refused.Message, "--max-commands-per-user") {
		t.Error(refused)
	}
	second.giveWay()
	if third := enter("a"); third == nil {
		t.Error("one that gave way counts")
	} else {
		third.Leave()
	}
	first.Leave()
	second.Leave()
	leave()
	for range 2 {
		if enter("a") == nil {
			t.Error("places of a key are not given back")
		}
	}
}
