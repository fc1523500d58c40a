//go:build unix

package dial_test

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/testend"
)

// device is an agent with one hardware key.
type device struct {
	agent.ExtendedAgent
	*testend.SecurityKey
}

func (d device) List() ([]*agent.Key, error) {
	return []*agent.Key{{Format: d.PublicKey().Type(), Blob: d.PublicKey().Marshal(),
		Comment: "token"}}, nil
}

func (d device) Sign(_ ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	return d.SecurityKey.Sign(nil, data)
}

func (d device) SignWithFlags(_ ssh.PublicKey, data []byte, _ agent.SignatureFlags) (
	*ssh.Signature, error) {
	return d.SecurityKey.Sign(nil, data)
}

// serveDevice is an agent's socket, with a hardware key.
func serveDevice(t *testing.T) (*testend.SecurityKey, string) {
	t.Helper()
	key, err := testend.NewSecurityKey(true)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "agent") // a socket's path has room for 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	served := device{agent.NewKeyring().(agent.ExtendedAgent), key}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			agent.ServeAgent(served, conn)
			conn.Close()
		}
	})
	t.Cleanup(func() {
		listener.Close()
		all.Wait()
		os.RemoveAll(dir)
	})
	return key, filepath.Join(dir, "s")
}

// proofOf verifies a guest's HELLO.
func proofOf(t *testing.T, f *fakedaemon.Fake, g *fakedaemon.Guest) keys.Proof {
	exported, err := g.Export(protocol.LoginLabel)
	if err != nil {
		t.Error(err)
	}
	l, err := keys.ParseLogin(g.Hello.Auth)
	if err != nil {
		t.Errorf("auth: %v", err)
		return keys.Proof{}
	}
	proof, err := l.Verify(protocol.LoginTranscript(exported, f.Host.Public.Marshal(),
		g.Key.Marshal(), g.Hello.User))
	if err != nil {
		t.Errorf("auth: %v", err)
	}
	return proof
}

// An agent's hardware key signs the login, and TLS shows another one (LO1). -v tells of the touch
// where no person sees a terminal.
func TestHardwareKeyInAgent(t *testing.T) {
	key, socket := serveDevice(t)
	var f *fakedaemon.Fake
	f = fakedaemon.New(t, func(g *fakedaemon.Guest) {
		proof := proofOf(t, f, g)
		if !proof.Same(keys.Proof{Key: key.PublicKey()}) || !proof.Touched || proof.Verified {
			t.Errorf("%+v", proof)
		}
		if bytes.Equal(g.Key.Marshal(), key.PublicKey().Marshal()) {
			t.Error("TLS shows the hardware key")
		}
		fakedaemon.Exits(`{"how":"exited","code":0}`)(g)
	})
	file := filepath.Join(t.TempDir(), "id_sk.pub")
	if err := os.WriteFile(file, ssh.MarshalAuthorizedKey(key.PublicKey()), 0o600); err != nil {
		t.Fatal(err)
	}
	r := f.Run(t, func(d *dial.Dialer) {
		d.Options.IdentityFiles, d.Options.IdentityAgent = []string{file}, socket
		d.Options.LogLevel = options.LevelDebug1
	})
	if r.Code != 0 || !strings.Contains(r.Said,
		"confirm user presence for key ED25519-SK SHA256:") {
		t.Errorf("%+v", r)
	}
	// without the agent, its file is of no use, and that is said
	r = f.Run(t, func(d *dial.Dialer) { d.Options.IdentityFiles = []string{file} })
	if r.Code != 255 || !strings.Contains(r.Said, "id_sk.pub: is a hardware key, and only") ||
		!strings.Contains(r.Said, "ssh-add") {
		t.Errorf("%+v", r)
	}
	// one that nobody has named is used with an agent, and not mentioned without
	r = f.Run(t, func(d *dial.Dialer) {
		d.Options.IdentityFiles, d.Options.IdentityAgent = nil, socket
		d.Options.DefaultIdentityFiles = []string{file}
	})
	if r.Code != 0 {
		t.Errorf("%+v", r)
	}
	r = f.Run(t, func(d *dial.Dialer) {
		d.Options.IdentityFiles, d.Options.DefaultIdentityFiles = nil, []string{file}
	})
	if r.Code != 255 || strings.Contains(r.Said, "id_sk.pub") {
		t.Errorf("%+v", r)
	}
}

// A link that takes the place of a lost one shows the same link key and needs no touch; a daemon
// that does not know that key any more gets a signature, on the next link (LO6).
func TestResumedWithoutATouch(t *testing.T) {
	key, socket := serveDevice(t)
	const welcome = `{"received":0,"resend":1048576,"hold":60,"channels":64,"uptime_ms":3600000}`
	var f *fakedaemon.Fake
	var link ssh.PublicKey
	again := func(g *fakedaemon.Guest, signed bool) {
		if link == nil {
			link = g.Key
		}
		if !bytes.Equal(link.Marshal(), g.Key.Marshal()) {
			t.Error("another link key")
		}
		if signed {
			proofOf(t, f, g)
		} else if g.Hello.Auth != "" {
			t.Error("a signature that nobody needs")
		}
	}
	f = fakedaemon.New(t, func(g *fakedaemon.Guest) {
		again(g, true)
		g.Say(protocol.TypeWelcome, 0, welcome)
		g.Until(protocol.TypeOpen)
		g.Raw.Close()
	}, func(g *fakedaemon.Guest) {
		again(g, false)
		g.Say(protocol.TypeWelcome, 0, welcome)
		g.Until(protocol.TypeOpen)
		g.Raw.Close()
	}, func(g *fakedaemon.Guest) {
		again(g, false)
		fakedaemon.Refuse(`{"code":"key_not_authorized"}`)(g)
	}, func(g *fakedaemon.Guest) {
		again(g, true)
		g.Say(protocol.TypeWelcome, 0, welcome)
		g.Until(protocol.TypeOpen)
		g.Say(protocol.TypeOpened, 1, `{"pid":1}`)
		g.End(`{"how":"exited","code":7}`)
	})
	r := f.Run(t, func(d *dial.Dialer) {
		d.Options.IdentityFiles, d.Options.IdentityAgent = nil, socket
		d.Options.IdentitiesOnly, d.Options.ResumeFor = false, options.ResumeDefault
	})
	if r.Code != 7 || key.Signed != 2 {
		t.Errorf("%+v; %d signatures", r, key.Signed)
	}
}
