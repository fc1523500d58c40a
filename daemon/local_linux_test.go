package daemon

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minissh/daemon/access"
	"minissh/daemon/process"
	"minissh/protocol"
)

func init() {
	// knock logs in through a Unix socket as a user, and returns the answer.
	process.Helper("knock", func(args []string) int {
		conn, err := net.Dial("unix", args[0])
		if err != nil {
			fmt.Print("no connection")
			return 0
		}
		conn.Write(hello(func(h *protocol.Hello) { h.User = args[1] }))
		conn.Write(open(1, "id -un"))
		in := protocol.NewReader(conn)
		for {
			f, err := in.Next()
			switch {
			case err != nil:
				fmt.Print("closed")
				return 0
			case f.Type == protocol.TypeError:
				reason := new(protocol.Reason)
				f.Decode(reason)
				fmt.Print(string(reason.Code))
				return 0
			case f.Type == protocol.TypeStdout:
				fmt.Print(strings.TrimSpace(string(f.Payload)))
				return 0
			}
		}
	})
}

// Through a Unix socket the kernel's uid is the identity: each may only be itself, root anybody who
// is served, and the overflow uid nobody (RULES A8). The socket's mode decides who gets that far.
func TestUnixSocketOfAllAccounts(t *testing.T) {
	needAccounts(t)
	key := newKey(t)
	ann, bob := newAccount(t, key.Public), newAccount(t, key.Public)
	locked, denied := newAccount(t, key.Public, "-p", "!"), newAccount(t, key.Public)
	noShell := newAccount(t, key.Public, "-s", "/usr/sbin/nologin")
	overflow := process.Account{Name: "nobody", UID: access.OverflowUID(),
		GID: access.OverflowUID(), Credential: &process.Credential{UID: access.OverflowUID(),
			GID: access.OverflowUID()}}
	root, err := process.CurrentAccount()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(ann.Home)
	for mode, cases := range map[os.FileMode][]struct {
		who  process.Account
		as   string
		want string
	}{
		0o666: {
			{ann, ann.Name, ann.Name},
			{bob, bob.Name, bob.Name},
			{ann, bob.Name, "key_not_authorized"},
			{ann, "root", "key_not_authorized"},
			{ann, "no-such-account", "key_not_authorized"},
			{locked, locked.Name, "key_not_authorized"},
			{root, ann.Name, ann.Name},
			{root, locked.Name, "key_not_authorized"},
			{root, noShell.Name, "key_not_authorized"},
			{root, denied.Name, "key_not_authorized"},
			{denied, denied.Name, "key_not_authorized"},
			{root, "root", "root"},
			{root, "no-such-account", "key_not_authorized"},
			{overflow, "nobody", "closed"},
			{overflow, ann.Name, "closed"},
		},
		0o600: {
			{ann, ann.Name, "no connection"},
			{root, "root", "root"},
		},
	} {
		socket := filepath.Join(dir, fmt.Sprintf("socket-%o", mode))
		l := newLab(t, func(o *Options) {
			access, err := access.NewAccounts(root,
				access.Policy{PermitRoot: access.RootNo, Deny: []string{denied.Name}},
				access.DefaultAccountFiles, access.Trust{}, o.Log)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { access.Close() })
			o.Account, o.Access, o.SocketMode = root, access, mode
		}, "unix:"+socket)
		for _, c := range cases {
			p, err := process.StartSelf(c.who, "knock", socket, c.as)
			if err != nil {
				t.Fatal(err)
			}
			said := make([]byte, 200)
			n, _ := p.Stdout.Read(said)
			if got := string(said[:n]); got != c.want {
				t.Errorf("mode %o: %s as %s: %q, not %q\n%s", mode, c.who.Name, c.as, got, c.want,
					l.log)
			}
			<-p.Done()
			p.Close()
		}
	}
}
