package knownhosts

import "strings"

// Knows says whether there is a host of this name: by itself, on this port, or hashed in either
// form. Patterns, and keys that are revoked or certify others, do not count.
func (db *DB) Knows(host string, port int) bool {
	on, err := Name(host, port)
	if err != nil {
		return false
	}
	plainly, _ := Name(host, defaultPort)
	for i := range db.entries {
		e := &db.entries[i]
		if e.marker == plain && !strings.ContainsAny(e.names, "*?!") &&
			(e.matches(plainly) || e.matches(on)) {
			return true
		}
	}
	return false
}

// Names are the hosts' names and addresses, without ports. Hashed names, patterns, and keys that
// are revoked or certify others are left out.
func (db *DB) Names() (names []string) {
	for _, e := range db.entries {
		if e.marker != plain || e.names[0] == '|' || strings.ContainsAny(e.names, "*?!") {
			continue
		}
		for name := range strings.SplitSeq(e.names, ",") {
			if rest, ok := strings.CutPrefix(name, "["); ok {
				name, _, _ = strings.Cut(rest, "]")
			}
			names = append(names, name)
		}
	}
	return names
}
