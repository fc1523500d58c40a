package process

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func init() {
	Helper("show", func(args []string) int {
		names, _ := os.ReadDir("/proc/self/fd")
		for _, name := range names {
			target, _ := os.Readlink("/proc/self/fd/" + name.Name())
			fmt.Println("fd", name.Name(), target)
		}
		status, _ := os.ReadFile("/proc/self/status")
		dir, _ := os.Getwd()
		fmt.Printf("%q %q %q\n%s", args, os.Environ(), dir, status)
		io.Copy(io.Discard, os.Stdin)
		fmt.Fprint(os.Stderr, "ended")
		return 7
	})
}

// A helper acts with the account's rights only, and holds nothing of the daemon's (RULES A7). It
// ends with its input.
func TestStartSelf(t *testing.T) {
	secret, err := os.Open(os.DevNull) // stands for a descriptor of the daemon's
	if err != nil {
		t.Fatal(err)
	}
	defer secret.Close()
	t.Setenv("DAEMONS_OWN", "secret")
	acct := Account{Name: "somebody", UID: uint32(os.Getuid()), Home: "/home/somebody",
		Shell: "/bin/sh"}
	wanted := []string{`["one" "two words"]`, `"HOME=/home/somebody"`, `"LOGNAME=somebody"`, `"/"`}
	if os.Getuid() == 0 {
		acct.Credential = &Credential{UID: 65534, GID: 65533, Groups: []uint32{65532}}
		wanted = append(wanted, "Uid:\t65534\t65534\t65534\t65534",
			"Gid:\t65533\t65533\t65533\t65533", "Groups:\t65532", "CapEff:\t0000000000000000")
	}
	p, err := StartSelf(acct, "show", "one", "two words")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.Stdin.Close()
	out := rest(t, p.Stdout)
	for _, want := range wanted {
		if !strings.Contains(out, want) {
			t.Errorf("%s lacks %s", out, want)
		}
	}
	for _, never := range []string{"DAEMONS_OWN", os.DevNull} {
		if strings.Contains(out, never) {
			t.Errorf("%s holds %s", out, never)
		}
	}
	// A test binary with -cover says this at its end, since a helper's environment is made anew.
	const covered = "warning: GOCOVERDIR not set, no coverage data emitted\n"
	errs := strings.TrimSuffix(rest(t, p.Stderr), covered)
	if r := result(t, p); errs != "ended" || r.Code != 7 {
		t.Errorf("%q, %+v", errs, r)
	}
}

// Nobody of its account looks into a sheltered helper: what /proc has of it is root's (proc(5),
// dumpable).
func TestSheltered(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	acct := Account{Name: "somebody", UID: 65534, Home: "/home/somebody", Shell: "/bin/sh",
		Credential: &Credential{UID: 65534, GID: 65534}}
	for as, owner := range map[*Account]uint32{new(acct): 65534, new(acct.Sheltered()): 0} {
		p, err := StartSelf(*as, "show")
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		out := bufio.NewReader(p.Stdout)
		for line := ""; !strings.HasPrefix(line, "Uid:"); {
			if line, err = out.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(line, "Uid:") && line != "Uid:\t65534\t65534\t65534\t65534\n" {
				t.Errorf("its ids are %s", line)
			}
		}
		var info syscall.Stat_t
		if err := syscall.Stat(fmt.Sprintf("/proc/%d/fd", p.PID), &info); err != nil ||
			info.Uid != owner {
			t.Errorf("it is %d's, not %d's (%v)", info.Uid, owner, err)
		}
		p.Stdin.Close()
	}
}

func TestUnknownHelper(t *testing.T) {
	p, err := StartSelf(Account{Name: "somebody"}, "no such")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if out, r := rest(t, p.Stderr), result(t, p); r.Code != 2 ||
		!strings.Contains(out, `"no such"`) {
		t.Errorf("%q, %+v", out, r)
	}
}

// What this machine's own databases say, asked in the two ways.
func TestLookupAccount(t *testing.T) {
	ctx := t.Context()
	for _, name := range []string{"", "-1", "--", "no-such-account-here", "a:b", "a\nb", "../root",
		"0", strings.Repeat("x", 200)} {
		if acct, err := LookupAccount(ctx, name); err != ErrNoAccount {
			t.Errorf("%q: %+v, %v", name, acct, err)
		}
	}
	root, err := LookupAccount(ctx, "root")
	if err != nil || root.UID != 0 || root.Name != "root" ||
		(root.Credential != nil) != (os.Getuid() == 0) {
		t.Errorf("%+v, %v", root, err)
	}
	all, err := Accounts(ctx)
	if err != nil || !slices.ContainsFunc(all, func(a Account) bool { return a.Name == "root" }) {
		t.Errorf("%+v, %v", all, err)
	}
}

// What getent tells is taken as it is.
func TestGetent(t *testing.T) {
	if _, err := exec.LookPath("getent"); err != nil {
		t.Skip("not run: needs getent")
	}
	out, err := getent(t.Context(), "passwd", "--", "root")
	if err != nil || !strings.HasPrefix(string(out), "root:") {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := getent(t.Context(), "passwd", "--", "no-such-account-here"); err != ErrNoAccount {
		t.Error(err)
	}
	if _, err := getent(t.Context(), "initgroups", "--", "root"); err != nil {
		t.Error(err)
	}
}

// An answer of getent's has at most 4 MiB, and no more of it is read: the C library may ask a
// directory that never ends.
func TestGetentIsBounded(t *testing.T) {
	dir := t.TempDir()
	script := []byte("#!/bin/sh\nhead -c $2 /dev/zero && : > $0.$2\n")
	if err := os.WriteFile(dir+"/getent", script, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	if out, err := getent(t.Context(), "passwd", "4194304"); len(out) != 4_194_304 || err != nil {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	for _, most := range []string{"4194305", "8388608"} {
		if out, err := getent(t.Context(), "passwd", most); out != nil || err == nil {
			t.Errorf("%d bytes were taken", len(out))
		}
	}
	if _, err := os.Stat(dir + "/getent.8388608"); err == nil {
		t.Error("all of a long answer was read")
	}
}

func TestScanGroups(t *testing.T) {
	const file = "# x:x:1:ann\nroot:x:0:\naudio:x:29:bob,ann\nshort:x:5\nvideo:x:44:ann,bob\n" +
		"anna:x:45:annabel\nbad:x:-1:ann\nagain:x:29:ann\n"
	groups, err := scanGroups(strings.NewReader(file), "ann", []uint32{1000})
	if err != nil || !slices.Equal(groups, []uint32{1000, 29, 44}) {
		t.Errorf("%v, %v", groups, err)
	}
}

func TestSourcesAreFiles(t *testing.T) {
	for text, want := range map[string]bool{
		"":                              true,
		"group: files systemd":          true,
		"group:\tcompat [NOTFOUND=x]":   true,
		"group: files sss":              false,
		" group : files # sss":          true,
		"passwd: sss\ngroup: files\n":   true,
		"groupings: ldap\ngroup: files": true,
	} {
		if sourcesAreFiles(text, "group") != want {
			t.Errorf("%q", text)
		}
	}
}
