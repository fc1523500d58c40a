//go:build unix

package dial

import (
	"crypto/ed25519"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol/keys"
)

// noting is an agent that notes what it is handed.
type noting struct {
	agent.Agent
	added chan agent.AddedKey
}

func (n *noting) Add(key agent.AddedKey) error {
	n.added <- key
	return nil
}

// A key is handed over as AddKeysToAgent says.
func TestAddKeys(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n := &noting{agent.NewKeyring(), make(chan agent.AddedKey, 1)}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			agent.ServeAgent(n, conn)
			conn.Close()
		}
	}()
	_, private, _ := ed25519.GenerateKey(nil)
	public, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	id := keys.Identity{Public: public, Private: private}
	for _, how := range []options.AddKeys{{}, {Add: true}, {Add: true, Ask: true},
		{Add: true, Confirm: true, Lifetime: time.Hour}} {
		o := &options.Options{IdentityAgent: l.Addr().String(), AddKeys: how}
		r := &keyRing{options: o, messages: report.New(io.Discard, o)}
		r.toAgent(&id, "/my/key", nil)
		select {
		case got := <-n.added:
			if !how.Add || how.Ask || got.Comment != "/my/key" ||
				got.LifetimeSecs != uint32(how.Lifetime.Seconds()) ||
				got.ConfirmBeforeUse != how.Confirm {
				t.Errorf("%+v: %+v", how, got)
			}
		default:
			if how.Add && !how.Ask {
				t.Errorf("%+v: nothing is handed over", how)
			}
		}
	}
}
