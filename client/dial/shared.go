package dial

import (
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"minissh/client/knownhosts"
	"minissh/client/options"
	"minissh/client/terminal"
	"minissh/protocol/keys"
)

// Shared is what the Dialers of many hosts have in common: the agent is asked once for its keys,
// each file is read once, and the user asked once for its passphrase. Dialers may use it at the
// same time. Without one (nil) a Dialer asks and reads for itself.
type Shared struct {
	mu     sync.Mutex // guards the maps, and is not held while somebody is asked
	agents map[string]func() agentKeys
	public map[string]func() publicHalf
	loaded map[string]func() privateHalf
	known  map[string]func() *knownhosts.DB
	handed map[string]bool // files whose keys an agent may want
	last   func() []string // lines of the file of keys that last worked; nil: not read

	banners map[string]func() bool // that have been shown

	writing sync.Mutex // of that file
}

// agentKeys are what an agent has answered.
type agentKeys struct {
	list    []keys.Identity
	useless []keys.Unusable
	err     error
}

type publicHalf struct {
	key    ssh.PublicKey
	locked bool
	err    error
}

type privateHalf struct {
	identity keys.Identity
	err      error
}

// once is what find finds out about name, which it does once; others wait for it.
func once[T any](s *Shared, known *map[string]func() T, name string, find func() T) T {
	s.mu.Lock()
	found := (*known)[name]
	if found == nil {
		if *known == nil {
			*known = map[string]func() T{}
		}
		found = sync.OnceValue(find)
		(*known)[name] = found
	}
	s.mu.Unlock()
	return found()
}

// agent are the keys of the agent at a socket.
func (s *Shared) agent(socket string) ([]keys.Identity, []keys.Unusable, error) {
	if s == nil {
		return keys.Agent(socket)
	}
	found := once(s, &s.agents, socket, func() (a agentKeys) {
		a.list, a.useless, a.err = keys.Agent(socket)
		return a
	})
	return append([]keys.Identity(nil), found.list...), found.useless, found.err
}

// publicOf is the public half of a key's file.
func (s *Shared) publicOf(file string) (ssh.PublicKey, bool, error) {
	if s == nil {
		return keys.PublicOf(file)
	}
	found := once(s, &s.public, file, func() (p publicHalf) {
		p.key, p.locked, p.err = keys.PublicOf(file)
		return p
	})
	return found.key, found.locked, found.err
}

// load is the private half of a key's file.
func (s *Shared) load(file string, ask func(string) ([]byte, error)) (keys.Identity, error) {
	if s == nil {
		return keys.LoadFile(file, ask)
	}
	found := once(s, &s.loaded, file, func() (p privateHalf) {
		p.identity, p.err = keys.LoadFile(file, ask)
		return p
	})
	return found.identity, found.err
}

// first says whether nobody has asked yet about this file's key, so that one alone hands it to the
// agent.
func (s *Shared) first(file string) (is bool) {
	if s == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handed == nil {
		s.handed = map[string]bool{}
	}
	is = !s.handed[file]
	s.handed[file] = true
	return is
}

// knownHosts is what the options' known_hosts files say.
func (s *Shared) knownHosts(o *options.Options, files []string) *knownhosts.DB {
	if s == nil || len(o.KnownHostsCommand) > 0 { // which adds to it
		return knownhosts.Open(files...)
	}
	return once(s, &s.known, strings.Join(files, "\x00"),
		func() *knownhosts.DB { return knownhosts.Open(files...) })
}

// added says that a known_hosts file has another line now.
func (s *Shared) added() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = nil
}

// secret is how the asker asks for a passphrase; nil: there is nobody to ask.
func secret(asker terminal.Asker) func(string) ([]byte, error) {
	if asker == nil {
		return nil
	}
	return asker.Secret
}
