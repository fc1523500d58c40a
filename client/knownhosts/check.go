package knownhosts

import (
	"bytes"
	"errors"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Status is what known_hosts says about a host's key.
type Status int

// The verdicts.
const (
	Unknown             Status = iota // no entry for this name
	Known                             // an entry for this name has this key
	KnownUnderPlainName               // no entry for `[host]:port`, but one for `host` has this key
	Changed                           // entries for this name have other keys only
	Revoked                           // a @revoked line holds this key
)

// Place is a line of a known_hosts file.
type Place struct {
	File  string
	Line  int    // from 1
	Names string // as written there; "" if they are hashed
}

// Verdict is the answer of [DB.Check], with what the dialogue needs.
type Verdict struct {
	Status Status
	Name   string        // the host as it is written in known_hosts
	Addr   string        // the same for its address; may be empty
	Key    ssh.PublicKey // the key that was checked

	// The line that decided: with Known and KnownUnderPlainName the one with the same key, with
	// Changed the first with another key, with Revoked the @revoked line.
	File     string
	Line     int
	EntryKey ssh.PublicKey

	Shown  Shown
	Others []Place // with Unknown: where the same key is listed under other names
	Files  []string
}

// Check looks for a host's key. addr is the address that the host was reached at, for the dialogue
// only; it may be empty. A HostKeyAlias has no port in the file, as in ssh: check it with port 22.
func (db *DB) Check(host string, port int, addr string, key ssh.PublicKey) (Verdict, error) {
	if key == nil {
		return Verdict{}, errors.New("there is no key to check")
	}
	name, err := Name(host, port)
	if err != nil {
		return Verdict{}, err
	}
	encoded := key.Marshal()
	v := db.judge(host, name, func(i int) bool {
		return bytes.Equal(db.entries[i].encoded, encoded)
	})
	v.Key = key
	if addr != "" {
		if v.Addr, err = Name(addr, port); err != nil {
			v.Addr = ""
		}
	}
	return v, nil
}

// judge compares names, and keys by what equal says of an entry.
func (db *DB) judge(host, name string, equal func(entry int) bool) Verdict {
	v := Verdict{Name: name, Files: db.files}
	bare, _ := plainName(host)
	var other, same, underPlain, refused *entry
	for i := range db.entries {
		e := &db.entries[i]
		equal := equal(i)
		switch {
		case e.marker == authorityOf:
		case e.marker == revoked:
			if equal && refused == nil {
				refused = e
			}
		case e.matches(name):
			if equal && same == nil {
				same = e
			}
			if !equal && other == nil && e.key() != nil {
				other = e
			}
		case equal && underPlain == nil && name != bare && e.matches(bare):
			underPlain = e
		}
		if equal && e.marker == plain {
			v.Others = append(v.Others, e.place())
		}
	}
	switch {
	case refused != nil:
		v.decide(Revoked, refused)
	case same != nil:
		v.decide(Known, same)
	case other != nil:
		v.decide(Changed, other)
	case underPlain != nil:
		v.decide(KnownUnderPlainName, underPlain)
	}
	if v.Status != Unknown {
		v.Others = nil
	}
	return v
}

func (v *Verdict) decide(status Status, e *entry) {
	v.Status, v.File, v.Line, v.EntryKey = status, e.file, e.line, e.key()
}

// key is nil if x/crypto does not accept what the line holds as a key: such a line does not count.
func (e *entry) key() ssh.PublicKey {
	key, err := ssh.ParsePublicKey(e.encoded)
	if err != nil {
		return nil
	}
	return key
}

func (e *entry) place() Place {
	p := Place{File: e.file, Line: e.line, Names: e.names}
	if strings.HasPrefix(p.Names, "|") {
		p.Names = ""
	}
	return p
}
