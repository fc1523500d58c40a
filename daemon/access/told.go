package access

import (
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"minissh/daemon/authorized"
	"minissh/protocol/keys"
)

// told remembers what was said about files: the log says it once for each state that a file is in.
type told struct {
	mu   sync.Mutex
	last map[string]*telling // by path
}

// telling is what was last said about a file. It is said three times a minute at most.
type telling struct {
	text  string
	since time.Time // of the minute that is counted
	times int       // in it
}

const tellingsMost = 3

// toldMost is how many files are remembered; beyond it all are reported anew.
const toldMost = 4096

// reading is the result of reading key files.
type reading struct {
	log  *slog.Logger
	told told
}

// good are the files that count. The log says what does not count.
func (r *reading) good(reports []FileReport) (files []*authorized.File) {
	for i := range reports {
		r.tell(&reports[i])
		if reports[i].Err == nil {
			files = append(files, reports[i].File)
		}
	}
	return files
}

// find finds the line that admits a key, or a certificate for the account. The error says why none
// does; it is Revoked unless the key is listed for other addresses, or a file could not be read.
// With an error, a line is one that would admit the key.
func (r *reading) find(reports []FileReport, account string, who *Client, trust *Trust) (
	*authorized.Entry, error) {
	proof, from := who.Proof, who.Addr.Addr()
	err, now := error(authorized.ErrNotListed), time.Now()
	var missing []string
	unsure := false
	for _, file := range reports {
		switch {
		case errors.Is(file.Err, os.ErrNotExist):
			missing = append(missing, file.Path)
		case file.Err != nil:
			unsure = true
		}
	}
	files := r.good(reports)
	if proof.Cert != nil && trust.UserCA != "" {
		authorities, _, why := trust.authorities()
		if why != nil {
			err, unsure = why, true
		} else {
			files = append(files, authorities)
		}
	}
	for _, file := range files {
		entry, why := lookUp(file, account, proof, from, now)
		if why == nil {
			// the first line that admits the key counts, as in sshd, also if it wants more of it
			if why = entry.Wants(proof); why != nil {
				return entry, why
			}
			return entry, trust.revoked(proof)
		}
		if !errors.Is(why, authorized.ErrNotListed) {
			err = why
		}
		unsure = unsure || errors.Is(why, authorized.ErrElsewhere)
	}
	if unsure {
		return nil, err
	}
	return nil, Revoked{err, missing}
}

// lookUp finds a key in a file, or else the authority of its certificate: a key with a certificate
// logs in by that alone.
func lookUp(file *authorized.File, account string, proof keys.Proof, from netip.Addr,
	now time.Time) (*authorized.Entry, error) {
	if proof.Cert != nil {
		return file.FindCertificate(proof.Cert, account, from, now)
	}
	return file.Find(proof.Key, from, now)
}

func (r *reading) tell(file *FileReport) {
	var lines []string
	switch {
	case errors.Is(file.Err, os.ErrNotExist):
	case file.Err != nil:
		lines = []string{file.Err.Error()}
	default:
		for _, problem := range file.Problems {
			lines = append(lines, problem.String())
		}
		lines = append(lines, file.File.Remarks...)
	}
	if !r.told.news(file.Path, strings.Join(lines, "\n")) {
		return
	}
	if file.Err != nil && lines != nil {
		r.log.Warn("Authentication refused: bad ownership or modes, or unreadable",
			"file", file.Path, "error", file.Err.Error())
		return
	}
	for i, line := range lines {
		switch {
		case i == 100:
			r.log.Warn("Lines of authorized_keys: and more", "file", file.Path, "lines",
				len(lines)-i)
			return
		case i < len(file.Problems):
			r.log.Warn("A line of authorized_keys is not used", "line", line)
		default:
			r.log.Info("A line of authorized_keys may mean something else than was meant", "line",
				line)
		}
	}
}

// grant is what a line of authorized_keys allows.
func (r *reading) grant(entry *authorized.Entry, trust *Trust) *Grant {
	grant := &Grant{
		Forced: entry.HasCommand, Command: entry.Command, Where: entry.Where(),
		File:   entry.File,
		allows: entry.Allows, mayOpen: entry.MayOpen, mayListen: entry.MayListen,
		restricted: entry.Same(), line: &entry.Restrictions,
	}
	if entry.FilesFolder != "" {
		grant.Folder = &Folder{Path: entry.FilesFolder, Mode: entry.FilesMode}
	}
	if trust.Environment {
		grant.Environment = entry.Environment
	} else if len(entry.Environment) > 0 &&
		r.told.news(entry.Where()+" environment", "not honoured") {
		r.log.Warn("environment= is not honoured without --permit-user-environment", "line",
			entry.Where())
	}
	return grant
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

// forget makes everything be reported anew.
func (t *told) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = nil
}
