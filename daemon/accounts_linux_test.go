package daemon

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/access"
	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/files"
	"minissh/protocol/keys"
)

// A command of an account has its ids, its environment and its rights, and nothing of the daemon's.
func TestAccount(t *testing.T) {
	t.Setenv("DAEMONS_OWN", "secret")
	l := accountsLab(t, access.Policy{})
	acct := newAccount(t, l.guest.Public, "-G", "adm,audio")
	secret := filepath.Join(acct.Home, "..", "secret")
	if err := os.WriteFile(secret, []byte("root's own"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := l.as(acct, l.guest)
	want := map[string]string{
		"id -u; id -g; id -ru; id -rg": fmt.Sprintf("%d\n%d\n%d\n%d\n", acct.UID, acct.GID,
			acct.UID, acct.GID),
		"umask":  "0022\n",
		"pwd -P": real(t, acct.Home) + "\n",
		"echo $HOME $USER $LOGNAME $SHELL $0": acct.Home + " " + acct.Name + " " + acct.Name +
			" /bin/sh sh\n",
		"echo x$DAEMONS_OWN":                                 "x\n",
		"cat " + secret + " || echo no":                      "no\n",
		"cat /etc/shadow || echo no":                         "no\n",
		"kill -0 " + fmt.Sprint(os.Getpid()) + " || echo no": "no\n",
		"grep CapEff /proc/self/status":                      "CapEff:\t0000000000000000\n",
		"ls /proc/self/fd | wc -l | tr -d ' '":               "4\n", // ls has its own
		"echo out >/dev/stdout":                              "out\n",
		"touch mine; stat -c '%u %g %a' mine": fmt.Sprintf("%d %d 644\n", acct.UID,
			acct.GID),
	}
	want["echo $PATH"] = "/usr/local/bin:/usr/bin:/bin:/usr/games\n"
	for command, out := range want {
		if r := collect(t, shell(t, s, command)); r.out != out {
			t.Errorf("%s: %q, not %q; %s", command, r.out, out, r.err)
		}
	}
	groups := strings.Fields(collect(t, shell(t, s, "id -G")).out)
	for _, name := range []string{"adm", "audio"} {
		if gid := groupID(t, name); !slices.Contains(groups, gid) || slices.Contains(groups, "0") ||
			len(groups) != 3 {
			t.Errorf("groups %v lack %s (%s), or have too many", groups, name, gid)
		}
	}
	ch := start(t, s, protocol.Open{Argv: bytesOf("cat", secret)})
	if r := collect(t, ch); r.out != "" || !strings.Contains(r.err, "denied") {
		t.Errorf("%q, %q", r.out, r.err)
	}
	ch = start(t, s, protocol.Open{Command: protocol.Bytes("pwd"),
		Dir: protocol.Bytes(filepath.Dir(secret) + "/../root")})
	if r := collect(t, ch); r.refused == nil && r.out == "/root\n" {
		t.Errorf("%q", r.out)
	}
	l.log.want(t, "Accepted publickey for "+acct.Name+" from 127.0.0.1",
		"listed="+keyFile(acct)+":1")
}

func groupID(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("/etc/group")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(line, ":"); f[0] == name {
			return f[2]
		}
	}
	t.Skip("not run: needs the group " + name)
	return ""
}

// A login shell begins with a dash, and its terminal is the account's: group tty may write to it.
func TestAccountTerminal(t *testing.T) {
	l := accountsLab(t, access.Policy{})
	acct := newAccount(t, l.guest.Public)
	s := l.as(acct, l.guest)
	ch := start(t, s, protocol.Open{Shell: true})
	if err := writeAll(ch, "echo $0; id -u\nexit\n"); err != nil {
		t.Fatal(err)
	}
	if r := collect(t, ch); r.out != fmt.Sprintf("-sh\n%d\n", acct.UID) {
		t.Errorf("%q %q", r.out, r.err)
	}
	ch = start(t, s, protocol.Open{Command: protocol.Bytes(`stat -c '%U %G %a' "$(tty)"; id -u`),
		PTY: &protocol.PTY{Term: protocol.Bytes("xterm")}})
	if r := collect(t, ch); r.out != fmt.Sprintf("%s tty 620\r\n%d\r\n", acct.Name, acct.UID) {
		t.Errorf("%q", r.out)
	}
}

// Two accounts at once, with one key: each stays within its own, in every channel, and neither can
// have the other's session (RE3).
func TestTwoAccounts(t *testing.T) {
	l := accountsLab(t, access.Policy{})
	ann, bob := newAccount(t, l.guest.Public), newAccount(t, l.guest.Public)
	first, second := l.as(ann, l.guest), l.as(bob, l.guest)
	for range 3 {
		for _, c := range []struct {
			acct process.Account
			out  string
		}{
			{ann, collect(t, shell(t, first, "id -un")).out},
			{bob, collect(t, shell(t, second, "id -un")).out},
		} {
			if c.out != c.acct.Name+"\n" {
				t.Errorf("%s is %q", c.acct.Name, c.out)
			}
		}
	}
	name := strings.Repeat("5a", 32)
	enter := func(who string, epoch int64, create bool) *scripted {
		p := l.knock(l.guest)
		p.send(hello(func(h *protocol.Hello) {
			h.User, h.Session, h.Epoch, h.Create = who, name,
				epoch, create
		}))
		return p
	}
	p := enter(ann.Name, 1, true)
	p.want(protocol.TypeWelcome)
	if r := enter(bob.Name, 2, false).wantError(); r.Code != protocol.CodeSessionUnknown {
		t.Errorf("%+v", r)
	}
	p.send(open(1, "id -un"))
	p.want(protocol.TypeOpened)
	if f := p.want(protocol.TypeStdout); string(f.Payload) != ann.Name+"\n" {
		t.Errorf("%q", f.Payload)
	}
	p.conn.Close()
}

// What admits nobody: files that do not belong to the account or that others could have written,
// and accounts that are closed. The answer is the same as for a user that does not exist; the log
// says why.
func TestAccountsRefused(t *testing.T) {
	l := accountsLab(t, access.Policy{Deny: []string{"*denied"}})
	other := newAccount(t, l.guest.Public)
	check := func(name string, acct process.Account, words ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			l.refused(acct.Name, l.guest)
			l.log.want(t, append([]string{acct.Name}, words...)...)
		})
	}
	files := []struct {
		name  string
		spoil func(process.Account) error
		words []string
	}{
		{"another user's file through a link", func(a process.Account) error {
			return firstError(os.Remove(keyFile(a)), os.Symlink(keyFile(other), keyFile(a)))
		}, []string{"permission denied"}},
		{"another user's readable file through a link", func(a process.Account) error {
			return firstError(os.Chmod(other.Home, 0o755),
				os.Chmod(filepath.Dir(keyFile(other)), 0o755), os.Chmod(keyFile(other), 0o644),
				os.Remove(keyFile(a)), os.Symlink(keyFile(other), keyFile(a)))
		}, []string{"bad ownership or modes for file"}},
		{"a home that all can write", func(a process.Account) error { return os.Chmod(a.Home, 0o777) }, []string{"bad ownership or modes for directory"}},
		{"a .ssh that its group can write", func(a process.Account) error {
			return os.Chmod(filepath.Dir(keyFile(a)), 0o770)
		}, []string{"bad ownership or modes for directory"}},
		{"a file that its group can write", func(a process.Account) error { return os.Chmod(keyFile(a), 0o620) }, []string{"bad ownership or modes for file"}},
		{"another user's home", func(a process.Account) error {
			return os.Chown(a.Home, int(other.UID), int(a.GID))
		}, []string{"bad ownership or modes for directory"}},
		{"a file that only root can read", func(a process.Account) error {
			return firstError(os.Chown(keyFile(a), 0, 0), os.Chmod(keyFile(a), 0o600))
		}, []string{"permission denied"}},
		{"a named pipe", func(a process.Account) error {
			return firstError(os.Remove(keyFile(a)), syscall.Mkfifo(keyFile(a), 0o600),
				os.Chown(keyFile(a), int(a.UID), int(a.GID)))
		}, []string{"is not a regular file"}},
		{"a device", func(a process.Account) error {
			return firstError(os.Remove(keyFile(a)), os.Symlink("/dev/zero", keyFile(a)))
		}, []string{"is not a regular file"}},
		{"two megabytes", func(a process.Account) error { return os.Truncate(keyFile(a), 2<<20) }, []string{"has more than 1 MiB"}},
	}
	for _, c := range files {
		acct := newAccount(t, l.guest.Public)
		if err := c.spoil(acct); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		check(c.name, acct, append([]string{"Authentication refused"}, c.words...)...)
	}
	for _, c := range []struct {
		name    string
		options []string
		word    string
	}{
		{"nologin", []string{"-s", "/usr/sbin/nologin"}, `its shell is`},
		{"a shell that is not there", []string{"-s", "/no/such/shell"}, "does not exist"},
		{"a shell that is not executable", []string{"-s", "/etc/passwd"}, "is not executable"},
		{"locked", []string{"-p", "!"}, "it is locked"},
		{"locked with a password", []string{"-p", "!$y$j9T$x"}, "it is locked"},
		{"expired", []string{"-e", "2020-01-01"}, "it expired on 2020-01-01"},
	} {
		acct := newAccount(t, l.guest.Public, c.options...)
		check(c.name, acct, "Failed publickey for invalid user "+acct.Name+" from 127.0.0.1",
			c.word)
	}
	check("nobody of that name", process.Account{Name: "no-such-account"},
		"Failed publickey for invalid user no-such-account from")
	check("a key that is not listed", process.Account{Name: "daemon"},
		"Failed publickey for invalid user daemon")
	mine := newAccount(t, l.stranger.Public)
	check("another user's key", mine, "Failed publickey for "+mine.Name+" from")
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// --allow-users, --allow-groups and their like decide, and --permit-root; a file without %u or %h
// is root's alone.
func TestAccountsPolicy(t *testing.T) {
	needAccounts(t)
	key := newKey(t)
	ann, bob := newAccount(t, key.Public, "-G", "audio"), newAccount(t, key.Public)
	file := filepath.Join(filepath.Dir(ann.Home), "keys") // which everybody could read
	if err := os.WriteFile(file, ssh.MarshalAuthorizedKey(key.Public), 0o644); err != nil {
		t.Fatal(err)
	}
	root, err := process.CurrentAccount()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		policy access.Policy
		files  []string
		ann    bool
		bob    bool
		root   bool
	}{
		{access.Policy{}, access.DefaultAccountFiles, true, true, false},
		{access.Policy{}, []string{file}, false, false, true},
		{access.Policy{}, []string{file, "%h/.ssh/authorized_keys"}, true, true, true},
		{access.Policy{PermitRoot: access.RootNo}, []string{file}, false, false, false},
		{access.Policy{PermitRoot: access.RootForced}, []string{file}, false, false, false},
		{access.Policy{Allow: []string{ann.Name}}, access.DefaultAccountFiles, true, false, false},
		{access.Policy{Deny: []string{ann.Name}}, access.DefaultAccountFiles, false, true, false},
		{access.Policy{Allow: []string{accountPrefix + "*"}, Deny: []string{bob.Name}}, access.DefaultAccountFiles, true, false, false},
		{access.Policy{AllowGroups: []string{"audi?"}}, access.DefaultAccountFiles, true, false, false},
		{access.Policy{DenyGroups: []string{"audio"}}, access.DefaultAccountFiles, false, true, false},
		{access.Policy{AllowGroups: []string{bob.Name}}, access.DefaultAccountFiles, false, true, false},
		{access.Policy{Allow: []string{bob.Name}, AllowGroups: []string{"audio"}}, access.DefaultAccountFiles, false, false, false},
	} {
		log := newLogBuffer()
		admits, err := access.NewAccounts(root, c.policy, c.files, access.Trust{},
			testLog(log))
		if err != nil {
			t.Fatal(err)
		}
		for name, in := range map[string]bool{ann.Name: c.ann, bob.Name: c.bob, "root": c.root} {
			who := &access.Client{User: name, Proof: keys.Proof{Key: key.Public},
				Addr: netip.AddrPortFrom(loopback, 4711)}
			grant, err := admits.Authorize(who)
			if (err == nil) != in || in &&
				(grant.Account.Name != name || grant.Account.Credential == nil) {
				t.Errorf("%+v %v: %s: %+v, %v", c.policy, c.files, name, grant, err)
			}
			fingerprint := []string{fingerprintOf(key)}
			if (admits.WouldDo(who, fingerprint) != "") != in {
				t.Errorf("%+v: WouldDo of %s is not Authorize", c.policy, name)
			}
		}
		if anyone := admits.AnyoneCould(); anyone != (c.ann || c.bob || c.root) {
			t.Errorf("%+v %v: AnyoneCould is %v", c.policy, c.files, anyone)
		}
		admits.Close()
	}
}

// Files are read and written with the account's rights.
func TestAccountFiles(t *testing.T) {
	l := accountsLab(t, access.Policy{})
	acct := newAccount(t, l.guest.Public)
	secret := filepath.Join(acct.Home, "secret")
	if err := os.WriteFile(secret, []byte("root's own words"), 0o600); err != nil {
		t.Fatal(err)
	}
	own(t, acct, filepath.Join(acct.Home, "mine"), 0o600, []byte("the account's words"))
	s := l.as(acct, l.guest)
	into := t.TempDir()
	get := func(names ...string) files.Summary {
		t.Helper()
		ch, err := s.Open(&protocol.Open{Service: authorized.Files.Name,
			Files: &protocol.Files{Mode: protocol.FilesGet, Sources: bytesOf(names...)}})
		if err != nil {
			t.Fatal(err)
		}
		defer ch.Close(nil)
		place, err := files.OpenPlace(nil, into, true)
		if err != nil {
			t.Fatal(err)
		}
		defer place.Root.Close()
		sum, err := files.Receive(ch.Reader(protocol.TypeStdout), ch.Writer(protocol.TypeStdin),
			place, files.Options{}, nil)
		if err != nil {
			t.Error(err)
		}
		return sum
	}
	if sum := get("mine"); sum.Stored != 1 || sum.Failed != 0 {
		t.Errorf("%+v", sum)
	}
	if sum := get("secret", secret+"/../secret", "/etc/shadow"); sum.Stored != 0 {
		t.Errorf("%+v", sum)
	}
	if names, err := os.ReadDir(into); err != nil || len(names) != 1 || names[0].Name() != "mine" {
		t.Errorf("%v, %v", names, err)
	}
	ch, err := s.Open(&protocol.Open{Service: authorized.Files.Name,
		Files: &protocol.Files{Mode: protocol.FilesPut, Target: protocol.Bytes("/root/new/x")}})
	if err != nil {
		t.Fatal(err)
	}
	if r := collect(t, ch); r.refused == nil {
		t.Errorf("%+v", r)
	}
	l.log.want(t, "Starting transfer for "+acct.Name)
}

// RE3: the session of an account that was locked ends when its client comes back; that of one whose
// keys cannot be read for now is left as it is.
func TestAccountIsLocked(t *testing.T) {
	key := newKey(t)
	l := accountsLab(t, access.Policy{Allow: []string{"msshtest*"}})
	ann := newAccount(t, key.Public)
	r := l.resumer()
	r.id = key
	attach := func() error {
		hello := &protocol.Hello{User: ann.Name, Hold: 3600}
		_, err := r.Connect(l.secure(key), hello)
		return err
	}
	if err := attach(); err != nil {
		t.Fatal(err)
	}
	ch := start(t, r.Session, protocol.Open{Command: protocol.Bytes("echo ready; exec cat")})
	firstLine(t, ch)
	if err := os.Chmod(keyFile(ann), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, _ := refusedWith(attach()); code != protocol.CodeKeyNotAuthorized {
		t.Errorf("a file that others can write: %q", code)
	}
	if err := os.Chmod(keyFile(ann), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := attach(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(keyFile(ann), keyFile(ann)+".new"); err != nil {
		t.Fatal(err)
	}
	if code, _ := refusedWith(attach()); code != protocol.CodeKeyNotAuthorized {
		t.Errorf("a file that is not there for a moment: %q", code)
	}
	if err := os.Rename(keyFile(ann)+".new", keyFile(ann)); err != nil {
		t.Fatal(err)
	}
	if err := attach(); err != nil {
		t.Fatal(err)
	}
	accountTool(t, "usermod", "-L", ann.Name)
	if code, message := refusedWith(attach()); code != protocol.CodeSessionEnded {
		t.Errorf("a locked account: %q, %s", code, message)
	}
	l.log.want(t, "Command ended", "how=hung_up")
}
