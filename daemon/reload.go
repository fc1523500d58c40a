package daemon

import (
	"crypto/tls"
	"io"

	"golang.org/x/crypto/ssh"

	"minissh/protocol/keys"
	"minissh/protocol/transport"
)

// identity is what the daemon shows to clients: its host key. Reload may replace it; who is connected keeps what they saw.
type identity struct {
	public ssh.PublicKey
	tls    *tls.Config
}

func newIdentity(key keys.Identity, keyLog io.Writer) (*identity, error) {
	envelope, err := keys.Certificate(key)
	if err != nil {
		return nil, err
	}
	config := transport.ServerConfig(envelope)
	config.KeyLogWriter = keyLog
	return &identity{key.Public, config}, nil
}

// shown is the identity for the next connection.
func (s *Server) shown() *identity { return s.identity.Load() }

// Reload takes what was read once for read again: a new host key for new connections, and what an Access remembers. What is wrong with authorized_keys files is
// told anew, and listeners beyond loopback are judged anew (RULES A12). Nobody is disconnected.
func (s *Server) Reload(hostKey keys.Identity) error {
	id, err := newIdentity(hostKey, s.opts.KeyLog)
	if err != nil {
		return err
	}
	if before := s.identity.Swap(id); keys.Fingerprint(before.public) != keys.Fingerprint(id.public) {
		s.log.Warn("The host key has changed", "from", keys.Fingerprint(before.public), "to", keys.Fingerprint(id.public))
	}
	if access, ok := s.opts.Access.(interface{ Reload() }); ok {
		access.Reload()
	}
	s.mu.Lock()
	listeners := s.listeners
	s.mu.Unlock()
	for _, l := range listeners {
		if beyondLoopback(l) && !s.opts.Access.AnyoneCould() {
			s.log.Warn("Connections from beyond loopback are dropped until somebody could log in", "address", l.Addr().String(), "error", errNobody)
		}
	}
	return nil
}
