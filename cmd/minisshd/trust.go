package main

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"minissh/daemon/access"
	"minissh/daemon/logbook"
	"minissh/protocol"
	"minissh/protocol/keys"
)

// readTrust is what the administrator trusts and revokes, besides what users list.
func readTrust(c *cli.Context) (trust access.Trust, err error) {
	trust.Environment = c.Bool("permit-user-environment")
	for name, file := range map[string]*string{"trusted-user-ca": &trust.UserCA,
		"revoked-keys": &trust.RevokedKeys} {
		if *file = c.String(name); *file == "" || *file == "none" {
			*file = ""
			continue
		}
		if *file, err = filepath.Abs(*file); err != nil {
			return trust, err
		}
	}
	return trust, nil
}

// judgeTrust refuses to start with files that nobody should rely on: with every login refused, or
// an authority left out, the administrator would find out too late.
func (s *settings) judgeTrust() error {
	r := s.trust.Report(s.account)
	var problems []string
	for _, problem := range r.Problems {
		problems = append(problems, problem.String())
	}
	switch {
	case r.CAError != nil:
		return r.CAError
	case r.RevokedErr != nil:
		return r.RevokedErr
	case len(problems) > 0:
		return errors.New("--trusted-user-ca: " + strings.Join(problems, "; "))
	}
	return nil
}

// trust reports on the files of judgeTrust. admits: somebody could log in by a certificate.
func (k *check) trust(set *settings) (admits bool) {
	r := set.trust.Report(set.account)
	if set.trust.UserCA != "" {
		k.say("trusted authorities of users' certificates, in %s:", shown(set.trust.UserCA))
		if r.CAError != nil {
			k.refused("  ", r.CAError)
			k.wrong = append(k.wrong, "the file of --trusted-user-ca is refused")
		} else {
			for _, entry := range r.Authorities.Entries {
				words := keys.TypeName(entry.Key) + " " + keys.Fingerprint(entry.Key)
				if entry.Comment != "" {
					words += " " + protocol.Quote(logbook.Shorten(entry.Comment, 80))
				}
				k.say("  line %d: %s", entry.Line, words)
			}
			for _, problem := range r.Problems {
				k.say("  line %d: error: %s", problem.Line, problem.Why)
			}
			if len(r.Problems) > 0 {
				k.wrong = append(k.wrong, "the file of --trusted-user-ca cannot be used as written")
			}
			admits = len(r.Authorities.Entries) > 0
		}
	}
	if set.trust.RevokedKeys != "" {
		k.say("revoked keys: %s", shown(set.trust.RevokedKeys))
		if r.RevokedErr != nil {
			k.refused("  ", r.RevokedErr)
			k.wrong = append(k.wrong, "the file of --revoked-keys is refused")
			admits = false
		}
	}
	return admits
}

// hostKey reads the host key, or makes one, and reads its certificate.
func (s *settings) hostKey(log *slog.Logger) (key keys.Identity, made bool, err error) {
	key, made, err = keys.HostKey(s.hostKeyFile)
	if err != nil || s.certificate == "" {
		return key, made, err
	}
	if err := key.Certify(s.certificate); err != nil {
		return key, made, fmt.Errorf("--host-certificate: %w", err)
	}
	log.Info("The host key has a certificate", "certificate", keys.DescribeCertificate(key.Cert))
	if why := outOfTime(key.Cert); why != "" {
		log.Warn("The host key's certificate "+why, "file", s.certificate)
	}
	return key, made, nil
}

// outOfTime says that a certificate is not valid now, "" if it is.
func outOfTime(cert *ssh.Certificate) string {
	now := uint64(time.Now().Unix())
	switch {
	case now < cert.ValidAfter:
		return "is not valid yet"
	case now >= cert.ValidBefore:
		return "has expired"
	}
	return ""
}

// certificate reports on the host key's.
func (k *check) certificate(set *settings, key *keys.Identity) {
	if set.certificate == "" {
		return
	}
	k.say("  its certificate, %s:", shown(set.certificate))
	if err := key.Certify(set.certificate); err != nil {
		k.refused("    ", err)
		k.wrong = append(k.wrong, "the host key's certificate cannot be used")
		return
	}
	names := "any host"
	if list := key.Cert.ValidPrincipals; len(list) > 0 {
		names = protocol.Quote(logbook.Shorten(strings.Join(list, " "), 200))
	}
	k.say("    %s, for %s", keys.DescribeCertificate(key.Cert), names)
	if why := outOfTime(key.Cert); why != "" {
		k.say("    it %s", why)
		k.wrong = append(k.wrong, "the host key's certificate "+why)
	}
}

// readKeysCommand is the program that lists keys, nil if there is none.
func (s *settings) readKeysCommand(c *cli.Context) (*access.KeysCommand, error) {
	line, user := c.String("authorized-keys-command"), c.String("authorized-keys-command-user")
	switch {
	case line == "" || line == "none": // an account without a command may be there for a section
		return nil, nil
	case !s.all:
		return nil, fmt.Errorf("--authorized-keys-command is for a daemon that runs as root: this "+
			"one serves %s alone", s.account.Name)
	}
	words, err := splitWords(line)
	if err != nil {
		return nil, fmt.Errorf("--authorized-keys-command: %w", err)
	}
	k := &access.KeysCommand{Words: words, User: user}
	if err := k.Check(); err != nil {
		return nil, err
	}
	return k, k.Safe()
}

// keysCommand says who else lists keys, and does not ask. It says whether anybody does.
func (k *check) keysCommand(set *settings) bool {
	if list := set.keysCommand; list != nil {
		k.say("keys that no file admits are asked of %s, as %s (not done here)",
			shown(list.Words[0]), shown(list.User))
		return true
	}
	return false
}
