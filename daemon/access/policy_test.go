package access

import (
	"errors"
	"runtime"
	"testing"

	"minissh/daemon/authorized"
	"minissh/daemon/process"
)

func TestPolicy(t *testing.T) {
	ann, root, toor := process.Account{Name: "ann", UID: 1000}, process.Account{Name: "root"},
		process.Account{Name: "toor"}
	for _, c := range []struct {
		policy Policy
		acct   process.Account
		open   bool
	}{
		{Policy{}, ann, true},
		{Policy{}, root, true},
		{Policy{Allow: []string{"ann"}}, ann, true},
		{Policy{Allow: []string{"bob", "a?n"}}, ann, true},
		{Policy{Allow: []string{"a"}}, ann, false},
		{Policy{Allow: []string{"ANN"}}, ann, false},
		{Policy{Allow: []string{"*"}, Deny: []string{"a*"}}, ann, false},
		{Policy{Deny: []string{"*n"}}, root, true},
		{Policy{PermitRoot: RootNo}, root, false},
		{Policy{PermitRoot: RootNo}, toor, false}, // uid 0 is root by any name
		{Policy{PermitRoot: RootNo}, ann, true},
		{Policy{PermitRoot: RootForced}, root, true},
	} {
		if why := c.policy.refusesName(c.acct); (why == "") != c.open {
			t.Errorf("%+v for %s: %q", c.policy, c.acct.Name, why)
		}
	}
	forced := Policy{PermitRoot: RootForced}
	plain, command := &authorized.Entry{},
		&authorized.Entry{Restrictions: authorized.Restrictions{HasCommand: true}}
	if forced.refusesKey(root, plain) == "" || forced.refusesKey(root, command) != "" ||
		forced.refusesKey(ann, plain) != "" {
		t.Error("forced-commands-only is for root's keys without command= alone")
	}
	for policy, good := range map[*Policy]bool{
		{}:                                true,
		{PermitRoot: "prohibit-password"}: true,
		{PermitRoot: "maybe"}:             false,
		{Allow: []string{"ann@host"}}:     false,
		{Allow: []string{"!ann"}}:         false,
		{Deny: []string{"ann,bob"}}:       false,
		{Deny: []string{""}}:              false,
		{Deny: []string{`DOMAIN\ann`}}:    true,
		{AllowGroups: []string{"!adm"}}:   false,
		{DenyGroups: []string{"a,b"}}:     false,
		{DenyGroups: []string{"ad*"}}:     true,
	} {
		if err := policy.Check(); (err == nil) != good {
			t.Errorf("%+v: %v", *policy, err)
		}
	}
}

func TestExpand(t *testing.T) {
	ann := process.Account{Name: "ann", Home: "/home/ann"}
	for _, c := range []struct {
		template string
		own      bool
		want     string
		bad      bool
	}{
		{"%h/.ssh/authorized_keys", false, "/home/ann/.ssh/authorized_keys", false},
		{"/etc/keys/%u", false, "/etc/keys/ann", false},
		{"/etc/%%u/%u.%%", false, "/etc/%u/ann.%", false},
		{"/etc/keys/all", false, "", false},
		{"/etc/keys/all%%u", false, "", false},
		{"/etc/keys/all", true, "/etc/keys/all", false},
		{"/etc/keys/%i", false, "", true},
		{"/etc/keys/%", true, "", true},
	} {
		if got, err := Expand(c.template, ann, c.own); got != c.want || (err != nil) != c.bad {
			t.Errorf("%s: %q, %v", c.template, got, err)
		}
	}
}

// Groups are judged after names, and a denied one wins over an allowed one; each account must be
// allowed by both (sshd_config(5), AllowGroups).
func TestPolicyOfGroups(t *testing.T) {
	for _, c := range []struct {
		policy Policy
		groups []string
		why    string
	}{
		{Policy{}, nil, ""},
		{Policy{AllowGroups: []string{"staff"}}, []string{"ann", "staff"}, ""},
		{Policy{AllowGroups: []string{"adm", "st?ff"}}, []string{"ann", "staff"}, ""},
		{Policy{AllowGroups: []string{"sta"}}, []string{"ann", "staff"},
			"none of its groups is in --allow-groups"},
		{Policy{AllowGroups: []string{"*"}}, nil, "none of its groups is in --allow-groups"},
		{Policy{AllowGroups: []string{"*"}, DenyGroups: []string{"s*"}}, []string{"ann", "staff"},
			"its group staff is in --deny-groups"},
		{Policy{DenyGroups: []string{"adm"}}, []string{"ann"}, ""},
	} {
		if why := c.policy.refusesGroups(c.groups); why != c.why {
			t.Errorf("%+v for %q: %q", c.policy, c.groups, why)
		}
	}
	root := process.Account{Name: "root"}
	if runtime.GOOS != "linux" { // darwin calls it wheel
		return
	}
	for _, c := range []struct {
		policy Policy
		open   bool
	}{
		{Policy{AllowGroups: []string{"root"}}, true}, // the group of gid 0 in /etc/group
		{Policy{DenyGroups: []string{"root"}}, false},
		{Policy{Allow: []string{"root"}, AllowGroups: []string{"no-such-group"}}, false},
		{Policy{Deny: []string{"root"}, AllowGroups: []string{"root"}}, false},
	} {
		err := c.policy.refuses(t.Context(), root)
		_, revoked := errors.AsType[Revoked](err)
		if (err == nil) != c.open || revoked == c.open {
			t.Errorf("%+v for root: %v", c.policy, err)
		}
	}
}
