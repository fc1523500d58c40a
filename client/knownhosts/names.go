package knownhosts

import "strings"

// Names are the hosts' names and addresses that stand in the open, without ports: not those of
// hashed lines, patterns, and keys that are revoked or certify others.
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
