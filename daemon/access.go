package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
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
	told        told
	judged      struct {
		sync.Mutex // guards the rest
		states     []fs.FileInfo
		at         time.Time
		could      bool
	}
}

// NewFileAccess makes the Access of a daemon that serves its own account.
func NewFileAccess(account process.Account, files []string, environment bool, log *slog.Logger) Access {
	return &fileAccess{account: account, files: files, environment: environment, log: log}
}

// load reads what can be read. What cannot is logged, and lets nobody in.
func (a *fileAccess) load() (files []*authorized.File) {
	for _, name := range a.files {
		file, problems, err := authorized.Load(name, authorized.Owner{UID: a.account.UID, Home: a.account.Home})
		a.told.file(a.log, name, file, problems, err)
		if err == nil {
			files = append(files, file)
		}
	}
	return files
}

// told remembers what was said of files, so that the log has it once for each state that a file is in and not at every login.
type told struct {
	mu   sync.Mutex
	last map[string]*telling // by path
}

// telling is what was last said of a file. Its owner can change it as often as he likes: it is news three times a minute at most.
type telling struct {
	text  string
	since time.Time // of the minute that is counted
	times int       // in it
}

const tellingsMost = 3

// toldMost bounds how many files are remembered; beyond it all are told of anew.
const toldMost = 4096

// file logs what is wrong with a file, if that is news: why it cannot be read, or which of its lines do not count.
func (t *told) file(log *slog.Logger, name string, file *authorized.File, problems []authorized.Problem, err error) {
	var lines []string
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		lines = []string{err.Error()}
	default:
		for _, problem := range problems {
			lines = append(lines, problem.String())
		}
		lines = append(lines, file.Remarks...)
	}
	if !t.news(name, strings.Join(lines, "\n")) {
		return
	}
	if err != nil && lines != nil {
		log.Warn("Authentication refused: bad ownership or modes, or unreadable", "file", name, "error", err.Error())
		return
	}
	for i, line := range lines {
		if i == 100 {
			log.Warn("Lines of authorized_keys: and more", "file", name, "lines", len(lines)-i)
			return
		}
		if i < len(problems) {
			log.Warn("A line of authorized_keys is not used", "line", line)
		} else {
			log.Info("A line of authorized_keys may mean something else than was meant", "line", line)
		}
	}
}

func (t *told) news(about, text string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, now := t.last[about], time.Now()
	switch {
	case before == nil && text == "" || before != nil && before.text == text:
		return false
	case before == nil:
		if t.last == nil || len(t.last) >= toldMost {
			t.last = map[string]*telling{}
		}
		before = &telling{since: now}
		t.last[about] = before
	case text == "":
		before.text = ""
		return false
	}
	if now.Sub(before.since) >= time.Minute {
		before.since, before.times = now, 0
	}
	if before.times >= tellingsMost {
		return false // it will be, later
	}
	before.times++
	before.text = text
	return true
}

// forget has everything told anew.
func (t *told) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = nil
}

// invalidUser is why a user is not served, for the log alone.
type invalidUser struct{ error }

func (e invalidUser) Unwrap() error { return e.error }

var errUnknownUser = invalidUser{errors.New("no such user here")}

func (a *fileAccess) Authorize(user string, key ssh.PublicKey, from netip.Addr) (*Grant, error) {
	err := error(authorized.ErrNotListed)
	// An unknown user costs the same reading as a known one, and gets the same answer (ID6).
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

// Reload has what is wrong with files told anew.
func (a *fileAccess) Reload() { a.told.forget() }

func (a *fileAccess) grant(entry *authorized.Entry) *Grant {
	return newGrant(entry, a.environment, a.log, &a.told)
}

// newGrant is what a line of authorized_keys allows.
func newGrant(entry *authorized.Entry, environment bool, log *slog.Logger, told *told) *Grant {
	grant := &Grant{Forced: entry.HasCommand, Command: entry.Command, Where: entry.Where(), allows: entry.Allows, restricted: entry.Same()}
	if entry.FilesFolder != "" {
		grant.Folder = &Folder{Path: entry.FilesFolder, Mode: entry.FilesMode}
	}
	if environment {
		grant.Environment = entry.Environment
	} else if len(entry.Environment) > 0 && told.news(entry.Where()+" environment", "not honoured") {
		log.Warn("environment= is not honoured without --permit-user-environment", "line", entry.Where())
	}
	return grant
}

func (a *fileAccess) WouldDo(user string, fingerprints []string, from netip.Addr) string {
	if user != a.account.Name || len(fingerprints) == 0 {
		return ""
	}
	return wouldDo(a.load(), fingerprints, from, func(*authorized.Entry) bool { return true })
}

// wouldDo picks one of the fingerprints that a file lists, now and from that address, among the lines that may.
func wouldDo(files []*authorized.File, fingerprints []string, from netip.Addr, may func(*authorized.Entry) bool) string {
	for _, file := range files {
		for _, entry := range file.Entries {
			fingerprint := keys.Fingerprint(entry.Key)
			if !slices.Contains(fingerprints, fingerprint) {
				continue
			}
			if found, err := file.Find(entry.Key, from, time.Now()); err == nil && may(found) {
				return fingerprint
			}
		}
	}
	return ""
}

func (a *fileAccess) pairedAccount(user string) (process.Account, error) {
	if user != a.account.Name {
		return process.Account{}, fmt.Errorf("this daemon serves %s alone", a.account.Name)
	}
	return a.account, readsPaired(a.files, a.account)
}

func (a *fileAccess) paired(string) {}

// readsPaired says whether the file in which an account's paired keys stand is among those that are read.
func readsPaired(files []string, acct process.Account) error {
	if file := PairedFile(acct); !slices.Contains(files, file) {
		return fmt.Errorf("this daemon does not read %s, where paired keys stand: start it with --authorized-keys %s as well", file, file)
	}
	return nil
}
