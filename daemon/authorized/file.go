package authorized

import (
	"bytes"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/crypto/ssh"
)

// maxFile bounds a file, in bytes.
const maxFile = 1 << 20

// Entry is one usable line.
type Entry struct {
	Key     ssh.PublicKey
	Comment string
	File    string
	Line    int

	HasCommand  bool     // Command runs whatever is asked
	Command     string   // command=
	Environment []string // environment=, "NAME=value"
	NoPty       bool     // no-pty, or restrict without pty
	Restricted  bool     // any option that takes something away: then a service must be granted by name

	from   *patterns // from=
	expiry time.Time // expiry-time=; zero: none
}

// Where is the line's place, for logs.
func (e *Entry) Where() string { return fmt.Sprintf("%s:%d", e.File, e.Line) }

// Problem is a line that is disabled, and why.
type Problem struct {
	File string
	Line int
	Why  string
}

func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Why) }

// File is what a file holds.
type File struct{ Entries []*Entry }

// Parse reads the lines of a file. It never fails: what cannot be used is a Problem.
func Parse(name string, text []byte) (*File, []Problem) {
	file := &File{}
	var problems []Problem
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		entry, err := parseLine(line)
		if err != nil {
			problems = append(problems, Problem{name, number, err.Error()})
			continue
		}
		entry.File, entry.Line = name, number
		file.Entries = append(file.Entries, entry)
	}
	return file, problems
}

func parseLine(line []byte) (*Entry, error) {
	if bytes.IndexByte(line, 0) >= 0 {
		return nil, fmt.Errorf("the line holds a NUL byte")
	}
	key, comment, options, rest, err := ssh.ParseAuthorizedKey(line)
	if err != nil {
		return nil, fmt.Errorf("no public key could be read")
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("something follows the key")
	}
	entry := &Entry{Key: key, Comment: comment}
	for _, option := range options {
		if err := entry.apply(option); err != nil {
			return nil, err
		}
	}
	return entry, nil
}

// Reasons why a key may not come in. They are for the log: the client is told nothing (P2.6).
var (
	ErrNotListed = fmt.Errorf("the key is not listed")
)

// Find gives the first line of the key that may be used from an address (zero: a local socket) at a time.
func (f *File) Find(key ssh.PublicKey, from netip.Addr, now time.Time) (*Entry, error) {
	wanted := key.Marshal()
	err := error(ErrNotListed)
	for _, entry := range f.Entries {
		if !bytes.Equal(entry.Key.Marshal(), wanted) {
			continue
		}
		if err = entry.usable(from, now); err == nil {
			return entry, nil
		}
	}
	return nil, err
}

// AnyUsable says whether at least one line could be used by somebody at that time.
func (f *File) AnyUsable(now time.Time) bool {
	for _, entry := range f.Entries {
		if entry.expiry.IsZero() || now.Before(entry.expiry) {
			return true
		}
	}
	return false
}

func (e *Entry) usable(from netip.Addr, now time.Time) error {
	if !e.expiry.IsZero() && !now.Before(e.expiry) {
		return fmt.Errorf("%s: the key has expired", e.Where())
	}
	if e.from != nil && !e.from.match(from) {
		return fmt.Errorf("%s: from= does not allow this address", e.Where())
	}
	return nil
}

// Allows says whether a service is open to the key. Services that come later are closed to restricted keys until they are granted by name (RULES A6).
func (e *Entry) Allows(service string) error {
	switch {
	case service == "exec":
		return nil
	case e.HasCommand:
		return fmt.Errorf("this key may run its own command only")
	case e.Restricted:
		return fmt.Errorf("this key is restricted, and %s is not granted to it", service)
	}
	return nil
}
