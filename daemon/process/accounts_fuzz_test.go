//go:build linux || darwin

package process

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// The account files are root's, but what they hold comes from tools, directories and typing.
// Whatever is in them, nothing panics, nobody gets an id that the kernel takes for "leave it as it
// is", and no line counts for an account except its own.

const somePasswd = "root:x:0:0:root:/root:/bin/bash\n# comment\nbob:!x:1000:1000:,,,:/home/bob:\n" +
	"+::::::\n-bob::::::\n" +
	"ann:*:4294967295:4294967295::/:/bin/sh\nbig:x:4294967296:0::/:/bin/sh\n" +
	"neg:x:-1:0::/:/bin/sh\n\nshort:x:1\n:x:0:0::/:/bin/sh\n"

func FuzzPasswd(f *testing.F) {
	for _, name := range []string{"root", "bob", "ann", "big", "neg", "short", "", "+", "no"} {
		f.Add(somePasswd, name)
	}
	f.Add("bob:x:0:0::/:\r\nbob:x:1:1::/:/bin/sh", "bob")
	f.Fuzz(func(t *testing.T, text, name string) {
		acct, ok, err := scanPasswd(strings.NewReader(text),
			func(a Account) bool { return a.Name == name })
		if !ok || err != nil {
			return
		}
		if acct.UID == noID || acct.GID == noID {
			t.Errorf("an account with the ids %d and %d", acct.UID, acct.GID)
		}
		if acct.Name != name || name == "" || strings.ContainsAny(name+acct.Home+acct.Shell,
			":\n") || acct.Shell == "" || acct.Credential != nil {
			t.Errorf("%+v", acct)
		}
		line := slices.IndexFunc(strings.Split(text, "\n"), func(line string) bool {
			return strings.HasPrefix(line, name+":")
		})
		if line < 0 {
			t.Errorf("%q is found, and no line begins with it", name)
		}
		if again, ok, err := scanPasswd(strings.NewReader(text+"\n"+somePasswd),
			func(a Account) bool { return a.Name == name }); !ok || err != nil ||
			again.UID != acct.UID {
			t.Errorf("with more lines after it: %+v, %v, %v", again, ok, err)
		}
	})
}

func FuzzGroup(f *testing.F) {
	f.Add("root:x:0:\nwheel:x:10:root,bob\nbob:x:1000:\nbad:x:-1:bob\nnone:x:4294967295:bob\n"+
		"#no:x:5:bob\nlong:x:6:bob:bob\n", "bob")
	f.Add("g:x:1:,\n", "")
	f.Fuzz(func(t *testing.T, text, name string) {
		groups, err := scanGroups(strings.NewReader(text), name, []uint32{1000})
		if err != nil {
			return
		}
		if len(groups) == 0 || groups[0] != 1000 {
			t.Errorf("the account's own group is lost: %v", groups)
		}
		if slices.Contains(groups, noID) {
			t.Errorf("a group with the id %d", uint32(noID))
		}
		sorted := slices.Clone(groups)
		slices.Sort(sorted)
		if len(slices.Compact(sorted)) != len(groups) {
			t.Errorf("a group twice: %v", groups)
		}
		if len(groups) > 1 && !strings.Contains(text, name) {
			t.Errorf("%q is in %v, and in no line", name, groups)
		}
	})
}

func FuzzShadow(f *testing.F) {
	for _, line := range []string{"bob:$6$x$y:19000:0:99999:7:::", "bob:!:1::::::",
		"bob:*:1:::::1:", "bob:*:1:::::999999999999999999999:", "bob:x:1:::::-5:", "bob", "bob:",
		"bobby:!:::::::"} {
		f.Add("root:*:1::::::\n"+line+"\n", "bob", 20000)
	}
	f.Fuzz(func(t *testing.T, text, name string, today int) {
		line, err := scanShadow(strings.NewReader(text), name)
		if err != nil || line == "" {
			return
		}
		if !strings.HasPrefix(line, name+":") {
			t.Fatalf("%q has the line %q", name, line)
		}
		closed := closedByShadow(Account{Name: name}, line, today)
		var why *ClosedError
		if closed != nil && !errors.As(closed, &why) {
			t.Errorf("%T", closed)
		}
		if strings.HasPrefix(line, name+":!") && closed == nil {
			t.Errorf("%q is open", line)
		}
	})
}

func FuzzNsswitch(f *testing.F) {
	for _, text := range []string{"passwd: files\ngroup: files systemd\n",
		"passwd: files sss # all\n", "passwd:\tfiles [NOTFOUND=return] ldap\n", "#passwd: ldap\n",
		"passwd", "passwd: [", "initgroups: files [SUCCESS=continue] sss"} {
		f.Add(text, "passwd")
		f.Add(text, "initgroups")
	}
	f.Fuzz(func(t *testing.T, text, database string) {
		if sourcesAreFiles(text, database) {
			if more := text + "\n" + database + ": ldap\n"; sourcesAreFiles(more, database) &&
				!strings.ContainsAny(database, ":#\n") && strings.TrimSpace(database) == database {
				t.Errorf("%q: a directory service is not seen in %q", database, more)
			}
		}
	})
}
