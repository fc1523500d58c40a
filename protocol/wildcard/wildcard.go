// Package wildcard matches ssh's patterns (ssh_config(5), PATTERNS), for a client and a daemon
// alike.
package wildcard

import "strings"

// Match says whether a pattern matches the whole of s: * is any run of bytes, ? any one. Case
// counts. It takes len(s) times len(pattern) steps at most.
func Match(s, pattern string) bool {
	star, mark := -1, 0 // where the last * is, and how much of s it had taken
	i, j := 0, 0
	for i < len(s) {
		switch {
		case j < len(pattern) && pattern[j] == '*':
			star, mark = j, i
			j++
		case j < len(pattern) && (pattern[j] == '?' || pattern[j] == s[i]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[j:], "*") == ""
}

// List says whether names match a list of patterns, as OpenSSH's match_pattern_list does: one of
// them matches one, and none matches one with ! before it, wherever that is in the list.
func List(names, patterns []string) bool {
	found := false
	for _, name := range names {
		for _, pattern := range patterns {
			pattern, not := strings.CutPrefix(pattern, "!")
			if !Match(name, pattern) {
				continue
			}
			if not {
				return false
			}
			found = true
		}
	}
	return found
}
