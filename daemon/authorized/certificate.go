package authorized

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol/keys"
)

// FindCertificate is Find for a certificate: it looks for the lines of its authority, and returns
// what the first that admits it and the certificate's own options allow together (CE3, CE4). user
// is the name of the account.
func (f *File) FindCertificate(cert *ssh.Certificate, user string, addr netip.Addr,
	now time.Time) (*Entry, error) {
	return f.find(cert.SignatureKey, true, func(line *Entry) (*Entry, string, bool) {
		err := keys.CheckCertificate(cert, ssh.UserCert, now, criticalOptions,
			func(principal string) bool {
				if line.Principals != nil {
					return principal != "" && slices.Contains(line.Principals, principal)
				}
				return principal == user
			})
		entry := *line
		if err == nil {
			entry.Restrictions, err = line.certified(cert)
		}
		if err != nil {
			return nil, err.Error(), errors.Is(err, keys.ErrNotYet)
		}
		return &entry, entry.refuses(addr, now), entry.Usable(now)
	})
}

var criticalOptions = []string{keys.ForceCommand, keys.SourceAddress, keys.VerifyRequired}

// certified is what the options of a line and of a certificate allow together.
func (r Restrictions) certified(cert *ssh.Certificate) (Restrictions, error) {
	r.Authority, r.Principals, r.Certified = false, nil, true
	if err := flagsAlone(cert); err != nil {
		return r, err
	}
	if command, ok := cert.CriticalOptions[keys.ForceCommand]; ok {
		if command == "" || strings.Contains(command, "\x00") {
			return r, errors.New("the certificate's force-command is empty, or has NUL")
		}
		if r.HasCommand && r.Command != command {
			return r, errors.New("the certificate's force-command is not the line's command=")
		}
		if r.FilesFolder != "" {
			return r, errors.New("the certificate's force-command and minissh-files exclude each " +
				"other")
		}
		r.HasCommand, r.Command = true, command
	}
	if list, ok := cert.CriticalOptions[keys.SourceAddress]; ok {
		var err error
		if r.CertSource, err = parseSource(list); err != nil {
			return r, err
		}
	}
	if _, ok := cert.CriticalOptions[keys.VerifyRequired]; ok {
		r.VerifyRequired = true
	}
	lacks := func(extension string) bool {
		_, ok := cert.Extensions[extension]
		return !ok
	}
	r.NoPty = r.NoPty || lacks("permit-pty")
	r.NoPortForwarding = r.NoPortForwarding || lacks("permit-port-forwarding")
	r.NoAgentForwarding = r.NoAgentForwarding || lacks("permit-agent-forwarding")
	r.NoX11Forwarding = r.NoX11Forwarding || lacks("permit-X11-forwarding")
	r.NoUserRC = r.NoUserRC || lacks("permit-user-rc")
	r.NoTouchRequired = r.NoTouchRequired && !lacks("no-touch-required")
	return r, nil
}

// flagsAlone refuses a value where none is known: it may be meant to take something away.
func flagsAlone(cert *ssh.Certificate) error {
	for name, value := range cert.Extensions {
		if value != "" && slices.Contains(extensions, name) {
			return errors.New("the certificate's " + name + " has a value")
		}
	}
	if cert.CriticalOptions[keys.VerifyRequired] != "" {
		return errors.New("the certificate's " + keys.VerifyRequired + " has a value")
	}
	return nil
}

// extensions are those that are known, none of which has a value.
var extensions = []string{"permit-pty", "permit-port-forwarding", "permit-agent-forwarding",
	"permit-X11-forwarding", "permit-user-rc", "no-touch-required"}

// parseSource reads a certificate's source-address: addresses and networks, no patterns and, as in
// sshd, no zones. An IPv4 address that is written as an IPv6 one matches none.
func parseSource(list string) (From, error) {
	from := From{set: true}
	for element := range strings.SplitSeq(list, ",") {
		network, err := netip.ParsePrefix(element)
		if !strings.Contains(element, "/") {
			var addr netip.Addr
			if addr, err = netip.ParseAddr(element); err == nil && addr.Zone() == "" {
				network, err = addr.Prefix(addr.BitLen())
			}
		}
		if err != nil || !network.IsValid() || network != network.Masked() {
			return from, errors.New("the certificate's source-address cannot be read")
		}
		from.patterns = append(from.patterns, pattern{network: network, text: element})
	}
	return from, nil
}

// ParseAuthorities reads the text of a file of authorities, as sshd's TrustedUserCAKeys has them:
// a key on each line, without options. Each is an Entry with Authority that takes nothing away.
func ParseAuthorities(name string, text []byte) (*File, []Problem) {
	file, problems := Parse(name, text)
	plain := Restrictions{}
	file.Entries = slices.DeleteFunc(file.Entries, func(entry *Entry) bool {
		if entry.Same() != plain.Same() || entry.From.set || !entry.Expiry.IsZero() ||
			entry.Environment != nil {
			problems = append(problems, Problem{File: name, Line: entry.Line,
				Why: "a trusted authority has no options"})
			return true
		}
		entry.Authority, entry.NoTouchRequired = true, true // the certificate decides
		return false
	})
	return file, problems
}
