package lan

import (
	"strings"

	"minissh/client/knownhosts"
)

// Status is what known_hosts says about a Host.
type Status int

// The verdicts.
const (
	Unknown   Status = iota // it has neither the name nor the key, or no fingerprint was announced
	Known                   // under the name that is announced
	Elsewhere               // it has the key, under another name or an address
	Different               // it has another key under this name, or under an address announced
	Revoked                 // a @revoked line has the key
)

// String is one word, for programs too.
func (s Status) String() string {
	return [...]string{"unknown", "known", "elsewhere", "DIFFERENT", "REVOKED"}[s]
}

// Judgement is what known_hosts says about a Host.
type Judgement struct {
	Status Status
	// As is the name or address that decided, without a port; with Elsewhere the first name of a
	// line, "" if that is hashed. It is quoted where it is shown: it may be a stranger's.
	As   string
	File string // the line that decided
	Line int
}

// Known judges what the host announces. It is about the announcement, which may be a lie, and not
// about a connection.
//
// The name counts by itself, with .local after it, and without a number at its end, on the port
// that is announced, with the rules of knownhosts. Then comes the key under another name, and at
// last the addresses, which belong to the one today and to another tomorrow.
func (h Host) Known(db *knownhosts.DB) Judgement {
	if h.Fingerprint == "" {
		return Judgement{}
	}
	places, revoked := db.WithFingerprint(h.Fingerprint)
	if revoked {
		return Judgement{Status: Revoked}
	}
	for _, name := range []string{h.Name, h.Name + ".local"} {
		if j := h.check(db, name); j.Status != Unknown {
			return j
		}
	}
	// Its daemon has added a number if somebody else had its name first, rightly or not.
	if base := unnumbered(h.Name); base != "" {
		if j := h.check(db, base); j.Status == Known {
			return j
		}
	}
	var different Judgement
	for _, a := range h.Addresses {
		switch j := h.check(db, a.String()); j.Status {
		case Known:
			j.Status = Elsewhere
			return j
		case Different:
			different = j
		}
	}
	if len(places) > 0 {
		return Judgement{Status: Elsewhere, As: first(places[0].Names), File: places[0].File,
			Line: places[0].Line}
	}
	return different
}

func (h Host) check(db *knownhosts.DB, name string) Judgement {
	v, err := db.CheckFingerprint(name, int(h.Port), h.Fingerprint)
	j := Judgement{As: name, File: v.File, Line: v.Line}
	switch {
	case err != nil: // it cannot be a host's name
		return Judgement{}
	case v.Status == knownhosts.Known, v.Status == knownhosts.KnownUnderPlainName:
		j.Status = Known
	case v.Status == knownhosts.Changed:
		j.Status = Different
	default:
		return Judgement{}
	}
	return j
}

// unnumbered is a name without a hyphen and a number at its end, "" if it has none.
func unnumbered(name string) string {
	base := strings.TrimRight(name, "0123456789")
	if base == name || !strings.HasSuffix(base, "-") {
		return ""
	}
	return base[:len(base)-1]
}

// first is the first of a line's names, without its port.
func first(names string) string {
	name, _, _ := strings.Cut(names, ",")
	if inner, is := strings.CutPrefix(name, "["); is {
		name, _, _ = strings.Cut(inner, "]")
	}
	return name
}
