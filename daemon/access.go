package daemon

import (
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/protocol/keys"
)

// fileAccess lets in the keys that authorized_keys files list, as the daemon's own account. The files are read at each login, so that a
// change counts at once.
type fileAccess struct {
	account     process.Account
	files       []string
	environment bool // honour environment=
	log         *slog.Logger
}

// NewFileAccess makes the Access of a daemon that serves its own account.
func NewFileAccess(account process.Account, files []string, environment bool, log *slog.Logger) Access {
	return &fileAccess{account, files, environment, log}
}

// load reads what can be read. What cannot is logged, and lets nobody in.
func (a *fileAccess) load() (files []*authorized.File) {
	for _, name := range a.files {
		file, problems, err := authorized.Load(name, authorized.Owner{UID: a.account.UID, Home: a.account.Home})
		if err != nil {
			if !errors.Is(err, os.ErrNotExist) {
				a.log.Warn("Authentication refused: bad ownership or modes, or unreadable", "file", name, "error", err.Error())
			}
			continue
		}
		for _, problem := range problems {
			a.log.Warn("A line of authorized_keys is not used", "line", problem.String())
		}
		files = append(files, file)
	}
	return files
}

var errUnknownUser = errors.New("no such user here")

func (a *fileAccess) Authorize(user string, key ssh.PublicKey, from netip.Addr) (*Grant, error) {
	err := error(authorized.ErrNotListed)
	// An unknown user costs the same reading as a known one, and gets the same answer (P2.6).
	for _, file := range a.load() {
		var entry *authorized.Entry
		if entry, err = file.Find(key, from, time.Now()); err == nil {
			if user != a.account.Name {
				return nil, errUnknownUser
			}
			return a.grant(entry), nil
		}
	}
	if user != a.account.Name {
		err = errUnknownUser
	}
	return nil, err
}

func (a *fileAccess) grant(entry *authorized.Entry) *Grant {
	grant := &Grant{Forced: entry.HasCommand, Command: entry.Command, Where: entry.Where(), allows: entry.Allows}
	if a.environment {
		grant.Environment = entry.Environment
	} else if len(entry.Environment) > 0 {
		a.log.Warn("environment= is not honoured without --permit-user-environment", "line", entry.Where())
	}
	return grant
}

func (a *fileAccess) WouldDo(user string, fingerprints []string, from netip.Addr) string {
	if user != a.account.Name || len(fingerprints) == 0 {
		return ""
	}
	for _, file := range a.load() {
		for _, entry := range file.Entries {
			fingerprint := keys.Fingerprint(entry.Key)
			if !slices.Contains(fingerprints, fingerprint) {
				continue
			}
			if _, err := file.Find(entry.Key, from, time.Now()); err == nil {
				return fingerprint
			}
		}
	}
	return ""
}

func (a *fileAccess) AnyoneCould() bool {
	for _, file := range a.load() {
		if file.AnyUsable(time.Now()) {
			return true
		}
	}
	return false
}
