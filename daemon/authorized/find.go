package authorized

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol/keys"
)

// ErrNotListed says that a key is not in the file.
var ErrNotListed = errors.New("the key is not listed")

// ErrElsewhere says that a key is in the file, but for other addresses.
var ErrElsewhere = errors.New("the key is listed for other addresses")

// refusal is why none of a key's lines admits a client.
type refusal struct {
	words     string
	elsewhere bool // one of them would, at another address
}

func (e *refusal) Error() string        { return e.words }
func (e *refusal) Is(target error) bool { return target == ErrElsewhere && e.elsewhere }

// Find finds what a key may do for a client at an address, zero for a Unix socket. Of several lines
// with the key, the first one that admits the client now counts, as in sshd. The error is for the
// log: ErrNotListed, or why none of the key's lines admits the client. It is an ErrElsewhere if one
// of them would, now, at another address.
func (f *File) Find(key ssh.PublicKey, addr netip.Addr, now time.Time) (*Entry, error) {
	return f.find(key, false, func(entry *Entry) (*Entry, string, bool) {
		return entry, entry.refuses(addr, now), entry.Usable(now)
	})
}

// find looks at the lines with a key, for a key or for an authority. admits says which line then
// holds, or why not, and whether that may pass.
func (f *File) find(key ssh.PublicKey, authority bool,
	admits func(*Entry) (holds *Entry, why string, passes bool)) (*Entry, error) {
	encoded := key.Marshal()
	var refused []string
	elsewhere := false
	for _, entry := range f.Entries {
		if entry.Authority != authority || !bytes.Equal(entry.Key.Marshal(), encoded) {
			continue
		}
		holds, why, passes := admits(entry)
		if why == "" {
			return holds, nil
		}
		refused = append(refused, entry.Where()+": "+why)
		elsewhere = elsewhere || passes
	}
	if refused == nil {
		return nil, ErrNotListed
	}
	return nil, &refusal{strings.Join(refused[:min(len(refused), 8)], "; "), elsewhere}
}

// refuses says why a line does not admit a client, "" if it does.
func (r *Restrictions) refuses(addr netip.Addr, now time.Time) string {
	switch {
	case r.expired(now):
		return "the key expired at " + r.Expiry.Format(time.RFC3339)
	case !r.From.Allows(addr) && !addr.IsValid():
		return "from= does not allow Unix sockets"
	case !r.From.Allows(addr):
		return fmt.Sprintf("from= does not allow %v", addr)
	case !r.CertSource.Allows(addr):
		return fmt.Sprintf("the certificate's source-address does not allow %v", addr)
	}
	return ""
}

// Wants says what a line misses in a proof of its key: a touch of the hardware key, or that its
// device verified who touched it (LO5). The error is for the log.
func (e *Entry) Wants(proof keys.Proof) error {
	switch {
	case !proof.Hardware:
		return nil
	case !proof.Touched && !e.NoTouchRequired:
		return errors.New(e.Where() + ": the hardware key was not touched")
	case !proof.Verified && e.VerifyRequired:
		return errors.New(e.Where() + ": verify-required, and the device did not verify its user")
	}
	return nil
}

// expired is true from the second after the expiry-time on, as in sshd.
func (r *Restrictions) expired(now time.Time) bool {
	return !r.Expiry.IsZero() && now.Unix() > r.Expiry.Unix()
}

// AnyUsable says whether anyone could log in from anywhere: a daemon does not listen beyond
// loopback while nobody could.
func (f *File) AnyUsable(now time.Time) bool {
	return slices.ContainsFunc(f.Entries, func(e *Entry) bool { return e.Usable(now) })
}

// Usable says whether the key could be used from anywhere now.
func (r *Restrictions) Usable(now time.Time) bool { return !r.expired(now) && !r.From.Never() }

// Service is one that the options of a key can close.
type Service struct {
	Name     string   // in OPEN (CH1)
	ClosedBy []string // the options that close it to a key; nil: all that take something away
	InFolder bool     // minissh-files= grants it by name, whatever the others say
	NamedBy  string   // the option that grants it to keys with command= or minissh-files=; "": none
}

// The services that are decided upon. A PTY is a part of others.
var (
	Exec  = Service{Name: "exec", ClosedBy: []string{"minissh-files"}}
	Lines = Service{Name: "lines", ClosedBy: []string{"command", "minissh-files"}}
	// The service holds a key with minissh-files= in its folder. With command= that runs, whatever
	// subsystem is asked for.
	Subsystem = Service{Name: "subsystem", ClosedBy: []string{"minissh-files"}, InFolder: true}
	PTY       = Service{Name: "pty", ClosedBy: []string{"no-pty", "minissh-files"}}
	Files     = Service{Name: "files", ClosedBy: []string{"command", "restrict"}, InFolder: true}
	// The service holds a key with permitopen= to its targets, and one with
	// permitlisten= to its addresses (access.Grant's MayConnect and MayListen).
	Forward = Service{Name: "forward", NamedBy: "port-forwarding", ClosedBy: []string{
		"command", "no-port-forwarding", "minissh-files"}}
	// Jobs are all the account's: a key that is held to something else has none.
	Job = Service{Name: "job", ClosedBy: []string{"command", "no-minissh-jobs", "minissh-files"}}
	// It is part of others too: ~/.ssh/rc is run before them.
	UserRC = Service{Name: "~/.ssh/rc", ClosedBy: []string{"no-user-rc"}}
	Agent  = Service{Name: "agent", NamedBy: "agent-forwarding", ClosedBy: []string{
		"command", "no-agent-forwarding", "minissh-files"}}
)

// restricting are the options that take something away.
var restricting = []string{
	"command", "restrict", "no-pty", "no-port-forwarding", "no-agent-forwarding",
	"no-minissh-jobs", "no-X11-forwarding", "no-user-rc", "permitopen", "permitlisten",
	"minissh-files",
}

// has says whether one of the restricting options is in force, also because of restrict.
func (r *Restrictions) has(option string) bool {
	switch option {
	case "command":
		return r.HasCommand
	case "restrict":
		return r.Restricted
	case "no-pty":
		return r.NoPty
	case "no-port-forwarding":
		return r.NoPortForwarding
	case "no-agent-forwarding":
		return r.NoAgentForwarding
	case "no-minissh-jobs":
		return r.NoJobs
	case "no-X11-forwarding":
		return r.NoX11Forwarding
	case "no-user-rc":
		return r.NoUserRC
	case "permitopen":
		return r.PermitOpen != nil
	case "minissh-files":
		return r.FilesFolder != ""
	case "permitlisten":
		return r.PermitListen != nil
	}
	return true // what is unknown closes
}

// names says whether an option grants a service by name.
func (r *Restrictions) names(option string) bool {
	switch option {
	case "port-forwarding":
		return r.NamesPortForwarding
	case "agent-forwarding":
		return r.NamesAgentForwarding
	}
	return false
}

// RefusedError is a service that a key may not use. Its text may be told to the client.
type RefusedError struct {
	Service, Option string
	Certified       bool // it may be the key's certificate that takes it away
}

func (e *RefusedError) Error() string {
	where := "authorized_keys"
	if e.Certified {
		where += " or by the certificate"
	}
	return fmt.Sprintf("this key may not use %s (%s in %s)", shown(e.Service), e.Option, where)
}

// Allows says whether a key may use a service; the error is a *RefusedError. A key with command=
// may open exec and subsystem, with or without a pty, and nothing else; one with restrict, these,
// lines, and what other options give back to it (RULES A6); one with minissh-files=, files and, in
// its folder, subsystem. port-forwarding adds forward, and agent-forwarding agent, to what a key
// with command= or minissh-files= may open.
func (r *Restrictions) Allows(service Service) error {
	if service.InFolder && r.FilesFolder != "" {
		return nil // granted by name, within its folder
	}
	options := service.ClosedBy
	if options == nil {
		options = restricting
	}
	for _, option := range options {
		named := r.names(service.NamedBy) && (option == "command" || option == "minissh-files")
		if r.has(option) && !named {
			if r.Restricted && strings.HasPrefix(option, "no-") {
				option = "restrict" // which is what the line says
			}
			return &RefusedError{Service: service.Name, Option: option, Certified: r.Certified}
		}
	}
	return nil
}
