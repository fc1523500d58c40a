package knownhosts

import "strings"

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
