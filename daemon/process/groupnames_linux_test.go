package process

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// An account's groups have the names that id(1) tells.
func TestGroupNames(t *testing.T) {
	if _, err := exec.LookPath("id"); err != nil {
		t.Skip("not run: needs id")
	}
	all, err := Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(a Account) bool {
		return a.UID >= 1000 && a.UID < 65534 // other tests make some, and remove them
	})
	for _, acct := range all[:min(len(all), 50)] {
		acct, err := withGroups(t.Context(), acct)
		if err != nil {
			t.Fatal(err)
		}
		if acct.Credential == nil {
			t.Skip("not run: needs root")
		}
		out, err := exec.Command("id", "-Gn", "--", acct.Name).Output()
		if err != nil {
			continue // a group of it has no name
		}
		want := strings.Fields(string(out))
		got, err := GroupNames(t.Context(), acct)
		slices.Sort(want)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; id says %q", acct.Name, got, err, want)
		}
	}
}

// The first of several names of a group counts, as with getgrgid(3), and slips in the file do not.
func TestScanGroupNames(t *testing.T) {
	names := map[uint32]string{}
	err := scanGroupNames(strings.NewReader("#x:x:5:\nshort:x:5\nfive:x:5:a,b\nother:x:5:\n"+
		"bad:x:4294967295:\n:x:6:\nsix:x:6:\nseven:x:7:\n"), []uint32{5, 6}, names)
	if err != nil || len(names) != 2 || names[5] != "five" || names[6] != "six" {
		t.Errorf("%v, %v", names, err)
	}
}
