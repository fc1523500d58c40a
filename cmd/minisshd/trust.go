package main

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

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
		if *file = c.String(name); *file == "" {
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
