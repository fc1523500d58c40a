// Package nodeset has names of many machines in few words, as clustershell's nodeset(1): web[01-20]
// and db[1-3]-[a,b]. expand.go reads them, fold.go writes them.
package nodeset

import (
	"cmp"
	"slices"
	"strings"
)

// Most is how many names a set may have.
const Most = 65_536

// Set is a set of names. Its zero value is empty.
type Set struct{ has map[string]bool }

// Of is the set of these names, as they are.
func Of(names ...string) *Set {
	s := &Set{map[string]bool{}}
	for _, name := range names {
		s.has[name] = true
	}
	return s
}

// Has says whether a name is in the set.
func (s *Set) Has(name string) bool { return s.has[name] }

// Len is how many names there are.
func (s *Set) Len() int { return len(s.has) }

// Names are all names, numbers in them by their value.
func (s *Set) Names() []string {
	names := make([]string, 0, len(s.has))
	for name := range s.has {
		names = append(names, name)
	}
	slices.SortFunc(names, Compare)
	return names
}

// Compare orders names as people do: numbers in them by their value, then by their length.
func Compare(a, b string) int {
	left, right := pieces(a), pieces(b)
	for i := range min(len(left), len(right)) {
		x, y := left[i], right[i]
		var c int
		if isNumber(x) && isNumber(y) {
			c = cmp.Or(compareNumbers(x, y), cmp.Compare(len(x), len(y)))
		} else {
			c = strings.Compare(x, y)
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(left), len(right))
}

// compareNumbers compares the values of two texts of digits, of any length.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// pieces cuts a name into numbers and what is between them.
func pieces(name string) (all []string) {
	for len(name) > 0 {
		number := isNumber(name)
		end := strings.IndexFunc(name, func(c rune) bool { return isDigit(c) != number })
		if end < 0 {
			end = len(name)
		}
		all, name = append(all, name[:end]), name[end:]
	}
	return all
}

func isDigit(c rune) bool { return c >= '0' && c <= '9' }

// isNumber says whether a piece is one.
func isNumber(piece string) bool { return piece != "" && piece[0] >= '0' && piece[0] <= '9' }
