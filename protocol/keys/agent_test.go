package keys

import (
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// An agent may hold kinds of keys that cannot be used, or may not be an agent.
func TestStrangeAgents(t *testing.T) {
	sk := ssh.Marshal(struct{ Type, Key, Application string }{"sk-ssh-ed25519@openssh.com",
		strings.Repeat("k", 32), "ssh:"})
	list := keyList{
		{Format: "sk-ssh-ed25519@openssh.com", Blob: sk, Comment: "token"},
		{Format: "ssh-new\x1b", Blob: ssh.Marshal(struct{ Type, Rest string }{"ssh-new\x1b", "x"})},
	}
	usable, unusable, err := Agent(serveAgent(t, list))
	if err != nil || len(usable) != 1 || len(unusable) != 1 {
		t.Fatalf("%v %v %v", usable, unusable, err)
	}
	if TypeName(usable[0].Public) != "ED25519-SK" || TypeName(unusable[0].Key) != "unknown" {
		t.Errorf("%+v %+v", usable, unusable)
	}
	var known *Error
	for _, socket := range []string{"", filepath.Join(t.TempDir(), "none")} {
		if _, _, err := Agent(socket); !errors.As(err, &known) || known.Hint() == "" {
			t.Errorf("no agent at %q: %v", socket, err)
		}
	}

	// An agent that signs with another key is found out here, before the other side notices.
	right, wrong := generate(t), generate(t)
	signer, err := ssh.NewSignerFromSigner(wrong.Private)
	if err != nil {
		t.Fatal(err)
	}
	socket := serveAgent(t, liar{keyList{{Format: right.Public.Type(),
		Blob: right.Public.Marshal()}}, signer})
	usable, _, err = Agent(socket)
	if err != nil || len(usable) != 1 {
		t.Fatal(usable, err)
	}
	if _, _, err := handshake(t, usable[0], generate(t)); err == nil ||
		!strings.Contains(err.Error(), "signed with another key") {
		t.Errorf("a wrong signature: %v", err)
	}
	if _, err := usable[0].Private.Sign(nil, make([]byte, 32), nil); err == nil {
		t.Error("an agent signed a digest")
	}
}

// keyList is an agent that does nothing but list.
type keyList []*agent.Key

func (l keyList) List() ([]*agent.Key, error)                      { return l, nil }
func (keyList) Sign(ssh.PublicKey, []byte) (*ssh.Signature, error) { return nil, errors.New("no") }
func (keyList) Add(agent.AddedKey) error                           { return errors.New("no") }
func (keyList) Remove(ssh.PublicKey) error                         { return errors.New("no") }
func (keyList) RemoveAll() error                                   { return errors.New("no") }
func (keyList) Lock([]byte) error                                  { return errors.New("no") }
func (keyList) Unlock([]byte) error                                { return errors.New("no") }
func (keyList) Signers() ([]ssh.Signer, error)                     { return nil, errors.New("no") }

type liar struct {
	keyList
	signer ssh.Signer
}

func (l liar) Sign(_ ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	return l.signer.Sign(rand.Reader, data)
}

func serveAgent(t *testing.T, served agent.Agent) (socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
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
	return listener.Addr().String()
}
