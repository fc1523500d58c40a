package keys

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// How long an agent may take: to list its keys, and to sign, which may wait for a person (ssh-add
// -c).
const (
	listTimeout = 5 * time.Second
	signTimeout = 2 * time.Minute
)

// maxAgentKeys is how many of an agent's keys are looked at.
const maxAgentKeys = 256

// Unusable is a key that an agent holds and minissh cannot use.
type Unusable struct {
	Key     ssh.PublicKey // never nil; TypeName and Fingerprint work on it
	Comment string        // not ours: quote it before you show it
	Why     string        // half a sentence
	Hint    string        // what to type instead
}

// Agent lists the keys of the ssh-agent at a socket (SSH_AUTH_SOCK). Usable keys keep the agent's
// order. Their Private signs by asking the agent again, so nothing stays open. The error says that
// the agent did not answer.
func Agent(socket string) ([]Identity, []Unusable, error) {
	var listed []*agent.Key
	err := withAgent(socket, listTimeout, func(client agent.Agent) (err error) {
		listed, err = client.List()
		return err
	})
	if err != nil {
		return nil, nil,
			&Error{Subject: socket, Msg: "the ssh-agent does not answer: " + plain(err),
				Advice: "eval $(ssh-agent) starts one; minissh -i FILE works without one", Err: err}
	}
	var identities []Identity
	var unusable []Unusable
	for _, key := range listed[:min(len(listed), maxAgentKeys)] {
		public, err := ssh.ParsePublicKey(key.Blob)
		if err != nil {
			unusable = append(unusable,
				Unusable{Key: key, Comment: key.Comment, Why: "this kind of key is not supported",
					Hint: makeOne})
			continue
		}
		cert, _ := public.(*ssh.Certificate)
		named, err := public, error(nil)
		if cert != nil {
			public, err = cert.Key, CheckForm(cert)
		}
		if err == nil {
			err = Allowed(public)
		}
		var why *Error
		if errors.As(err, &why) {
			unusable = append(unusable, Unusable{Key: named, Comment: key.Comment, Why: why.Msg,
				Hint: why.Advice})
			continue
		}
		held := public.(ssh.CryptoPublicKey).CryptoPublicKey()
		identities = append(identities, Identity{
			Public: public, Cert: cert, Source: "agent", Comment: key.Comment,
			Private: &agentSigner{socket: socket, key: public, cert: cert, public: held},
		})
	}
	return identities, unusable, nil
}

// AddToAgent hands a key to the agent, which keeps it for lifetime (0: while it runs) and, with
// confirm, asks a person for each use.
func AddToAgent(socket string, id *Identity, comment string, lifetime time.Duration,
	confirm bool) error {
	return withAgent(socket, listTimeout, func(client agent.Agent) error {
		return client.Add(agent.AddedKey{PrivateKey: id.Private, Comment: comment,
			LifetimeSecs: uint32(lifetime.Seconds()), ConfirmBeforeUse: confirm})
	})
}

// withAgent makes one connection for one request, so that nothing has to be closed later.
func withAgent(socket string, most time.Duration, do func(agent.Agent) error) error {
	conn, err := dialAgent(socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	if timed, ok := conn.(net.Conn); ok {
		timed.SetDeadline(time.Now().Add(most))
	}
	// Hiding Close keeps x/crypto from starting a goroutine for the connection.
	return do(agent.NewClient(struct{ io.ReadWriter }{conn}))
}

func dialAgent(socket string) (io.ReadWriteCloser, error) {
	if socket == "" {
		return nil, errors.New("SSH_AUTH_SOCK is not set")
	}
	if strings.HasPrefix(socket, `\\.\pipe\`) { // Windows' OpenSSH agent
		return os.OpenFile(socket, os.O_RDWR, 0)
	}
	return net.DialTimeout("unix", socket, listTimeout)
}

// plain is an error without the words that Go's net package adds.
func plain(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		err = op.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	return strings.TrimPrefix(fmt.Sprint(err), "agent: ")
}
