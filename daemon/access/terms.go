package access

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"sync"
	"time"

	"minissh/daemon/authorized"
	"minissh/daemon/match"
	"minissh/daemon/process"
	"minissh/protocol/keys"
)

// Terms are what the administrator's settings say for one login. Nothing in them changes: other
// settings are other terms.
type Terms struct {
	// for a login
	Policy Policy
	Files  []string // that list keys, with %h and %u
	Trust  Trust
	Keys   *KeysCommand // asked about keys that no file lists; nil: nobody is
	// for a session that begins
	Hold        time.Duration // below 0: it ends with its link
	IdleTimeout time.Duration // 0: none
	MaxChannels int
	Most        Most
	// a client is asked for a sign of life after so much silence, and its link is lost after that
	// many times as long; 0: as SE6 has it
	AliveInterval time.Duration
	AliveMost     int
	Banner        string // a file with what a client's user is told first; "": none
	// for each channel that opens
	Permits
}

// Most is what may be in use at once; 0: what Rules say, and for one key as much as for its user.
type Most struct {
	Sessions, Commands       int // of one user
	KeySessions, KeyCommands int // of one key
}

// Permits are what clients may do besides logging in. They hold for each channel that opens.
type Permits struct {
	// Forwarding says what may be forwarded: one of service's Forward constants
	Forwarding string
	// GatewayPorts says who reaches what is listened on for clients: one of service's Gateway
	// constants
	GatewayPorts string
	// NoAgents: no client's agent is used here
	NoAgents bool
	// NoMotd and NoLastLogin: a login shell is not greeted with /etc/motd, and when and from where
	// its account was last logged in to
	NoMotd, NoLastLogin bool
	// NoUserRC: ~/.ssh/rc is not run
	NoUserRC bool
	// UserEnvironment: ~/.ssh/environment is read
	UserEnvironment bool
	// commands of subsystems, by name; service.BuiltInSFTP is the server of this program
	Subsystems map[string]string

	// ForceCommand runs whatever is asked for, instead of a key's command=; "": none
	ForceCommand string
	// NamesForwarding and NamesAgents: the settings say by name that this is allowed, so it is to
	// those with a ForceCommand, too
	NamesForwarding, NamesAgents bool
	// CopiesFiles: ForceCommand is the SFTP server, so the service files is open as well
	CopiesFiles bool
	// NoTTY: nobody gets a terminal
	NoTTY bool
	// targets of connections, host:port, and addresses to listen on, [host:]port; nil: any
	PermitOpen, PermitListen []string
	// patterns of what clients may set in a command's environment; nil: service.AcceptedEnv
	AcceptEnv []string
	// NAME=value each, for all commands, whatever clients and keys set
	SetEnv []string
	// the directory that everything is confined to, with %h and %u; "": none
	Chroot string
}

// Book says which terms hold for whom: those of the sections that match a login.
type Book struct {
	own      process.Account
	sections []*match.Line
	build    func(holding []int) (*Terms, error)
	revoking sync.Mutex // held while a file of revoked keys is in memory

	mu    sync.Mutex
	built map[string]*Terms // by the sections that hold
}

// mostBuilt is how many combinations of sections are remembered.
const mostBuilt = 1000

// NewBook makes a book of a daemon that runs as an account. build makes the terms for some of the
// sections, by their numbers, which rise; it is called for none, and for each alone, at once.
func NewBook(own process.Account, sections []*match.Line,
	build func(holding []int) (*Terms, error)) (*Book, error) {
	b := &Book{own: own, sections: sections, build: build, built: map[string]*Terms{}}
	if _, err := b.of(nil); err != nil {
		return nil, err
	}
	for i := range sections {
		if _, err := b.of([]int{i}); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Plain is a book without sections.
func Plain(own process.Account, terms Terms) (*Book, error) {
	return NewBook(own, nil, func([]int) (*Terms, error) { return &terms, nil })
}

// of are the terms where these sections hold.
func (b *Book) of(holding []int) (*Terms, error) {
	id := fmt.Sprint(holding)
	b.mu.Lock()
	defer b.mu.Unlock()
	if terms := b.built[id]; terms != nil {
		return terms, nil
	}
	terms, err := b.build(holding)
	if err == nil {
		err = terms.Policy.Check()
	}
	if err != nil {
		return nil, err
	}
	if terms.Keys != nil {
		if err := terms.Keys.Check(); err != nil {
			return nil, err
		}
	}
	for _, file := range terms.Files {
		if _, err := Expand(file, b.own, true); err != nil {
			return nil, err
		}
	}
	terms.Trust.owner = authorized.Owner{UID: b.own.UID}
	terms.Trust.reading = &b.revoking
	if len(b.built) >= mostBuilt {
		clear(b.built)
	}
	b.built[id] = terms
	return terms, nil
}

// Holding are the numbers of the sections that hold for a login.
func (b *Book) Holding(at *match.Login) (holding []int, err error) {
	for i, line := range b.sections {
		holds, err := line.Holds(at)
		if err != nil {
			return nil, err
		}
		if holds {
			holding = append(holding, i)
		}
	}
	return holding, nil
}

// Terms are those that hold for a login.
func (b *Book) Terms(at *match.Login) (*Terms, error) {
	holding, err := b.Holding(at)
	if err != nil {
		return nil, err
	}
	return b.of(holding)
}

// ways are the terms that a user could get from anywhere with some key, each once: of combinations
// of sections that a login may or may not match, those with at most one.
func (b *Book) ways(at *match.Login) ([]*Terms, error) {
	var certain, possible []int
	nowhere := &match.Login{User: at.User, Groups: at.Groups}
	for i, line := range b.sections {
		could, err := line.Could(at)
		if err != nil {
			return nil, err
		}
		if !could {
			continue
		}
		if holds, err := line.Holds(nowhere); err != nil {
			return nil, err
		} else if holds {
			certain = append(certain, i)
		} else {
			possible = append(possible, i)
		}
	}
	first, err := b.of(certain)
	if err != nil {
		return nil, err
	}
	all := []*Terms{first}
	for _, i := range possible {
		with := append(slices.Clone(certain), i)
		slices.Sort(with)
		terms, err := b.of(with)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(all, terms.admitsLike) {
			all = append(all, terms)
		}
	}
	return all, nil
}

// admitsLike says whether the same keys of the same users are let in.
func (t *Terms) admitsLike(other *Terms) bool {
	return reflect.DeepEqual(t.Policy, other.Policy) && slices.Equal(t.Files, other.Files) &&
		t.Trust.UserCA == other.Trust.UserCA && t.Trust.RevokedKeys == other.Trust.RevokedKeys
}

// each are the terms without sections, and with each section alone.
func (b *Book) each() (all []*Terms) {
	for i := -1; i < len(b.sections); i++ {
		var holding []int
		if i >= 0 {
			holding = []int{i}
		}
		if terms, err := b.of(holding); err == nil { // it was built before
			all = append(all, terms)
		}
	}
	return all
}

// login is what sections are compared with, for a client.
func (who *Client) login(groups func() ([]string, error)) *match.Login {
	at := &match.Login{User: who.User, Addr: who.Addr.Addr(), Groups: groups}
	at.Local, _ = who.LocalAddr()
	if at.Key = who.Fingerprint; who.Proof.Key != nil {
		at.Key = keys.Fingerprint(who.Proof.Key)
	}
	return at
}

// groupNames are the names of an account's groups, which are looked up when somebody asks, once.
type groupNames struct {
	life context.Context // of the daemon's logins
	acct *process.Account

	mu    sync.Mutex // held while they are looked up
	names []string
	known bool
}

// groupsTime limits how long a login or a channel waits for them.
const groupsTime = 10 * time.Second

func (g *groupNames) get() ([]string, error) {
	if g == nil || g.acct == nil {
		return nil, nil // who is not there is in no group
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known {
		return g.names, nil
	}
	ctx, cancel := context.WithTimeout(g.life, groupsTime)
	defer cancel()
	names, err := process.GroupNames(ctx, *g.acct)
	if err == nil {
		g.names, g.known = names, true
	}
	return names, err
}

// Same says whether two terms let a client do the same in channels.
func (p *Permits) Same(other *Permits) bool { return reflect.DeepEqual(p, other) }

// named are the names that are let in somewhere, without patterns.
func (b *Book) named() (names []string) {
	for _, terms := range b.each() {
		for _, name := range terms.Policy.named() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// byTerms are the terms of a login with each of these keys, in their order, and the keys that have
// the same terms. Keys whose terms nobody can tell are left out.
func byTerms(b *Book, at *match.Login, fingerprints []string) iter.Seq2[*Terms, []string] {
	return func(yield func(*Terms, []string) bool) {
		var order []*Terms
		of := map[*Terms][]string{}
		for _, fingerprint := range fingerprints {
			with := *at
			with.Key = fingerprint
			terms, err := b.Terms(&with)
			if err != nil {
				continue
			}
			if of[terms] == nil {
				order = append(order, terms)
			}
			of[terms] = append(of[terms], fingerprint)
		}
		for _, terms := range order {
			if !yield(terms, of[terms]) {
				return
			}
		}
	}
}
