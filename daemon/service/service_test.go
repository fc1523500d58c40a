//go:build unix

package service

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/access"
	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
)

// later is a future service, which says nothing about options.
type later struct{}

func (later) Key() authorized.Service { return authorized.Service{Name: "of-later-days"} }

func (later) Serve(*Host, *mux.Channel, *access.Client) *protocol.Reason { return nil }

// A service need not look at restrictions itself: what a key may not use does not reach it. One
// that says nothing of options is closed by every option that takes something away.
func TestServicesAreGuarded(t *testing.T) {
	name := later{}.Key().Name
	table[name] = later{}
	defer delete(table, name)
	acct, err := process.CurrentAccount()
	if err != nil {
		t.Fatal(err)
	}
	id, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "authorized_keys")
	acct.Home = filepath.Dir(file)
	listed := access.NewFileAccess(acct, []string{file}, access.Trust{},
		slog.New(slog.DiscardHandler))
	for options, open := range map[string]bool{
		``: true, `from="127.0.0.1"`: true, `pty`: true, `restrict`: false,
		`restrict,pty,port-forwarding,agent-forwarding,x11-forwarding,user-rc`: false, `command="true"`: false,
		`no-pty`: false, `no-port-forwarding`: false, `no-agent-forwarding`: false,
		`no-x11-forwarding`: false,
		`no-user-rc`:        false, `permitopen="a:1"`: false, `permitlisten="1"`: false, `minissh-files="/tmp"`: false,
	} {
		line := strings.TrimSpace(options + " " + string(ssh.MarshalAuthorizedKey(id.Public)))
		if err := os.WriteFile(file, []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		grant, err := listed.Authorize(&access.Client{User: acct.Name,
			Proof: keys.Proof{Key: id.Public}, Addr: netip.MustParseAddrPort("127.0.0.1:4711")})
		if err != nil {
			t.Fatal(err)
		}
		found, refused := Find(name, grant)
		if (found != nil) != open || (refused == nil) != open || !open &&
			refused.Code != "service_refused" {
			t.Errorf("%s: %v, %+v", options, found, refused)
		}
	}
}
