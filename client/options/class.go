package options

import (
	"errors"
	"fmt"
	"strings"
)

// Class says what happens to one of ssh's options. One table holds it for each letter and key; this
// program decides by it, and the README's table is made from it.
type Class int

const (
	// Holds: it does what it does in ssh.
	Holds Class = iota
	// Harmless: it is checked as ssh checks it and has no effect. Where, as whom and how safely one
	// connects does not depend on it here.
	Harmless
	// Refused: asking for it ends with 255, wherever it is asked for, since ignoring it would do
	// something else than was asked.
	Refused
	// Told: asking for it has no effect, and one line on standard error says so.
	Told
)

// String names the class as the tables in documents show it.
func (c Class) String() string { return [...]string{"holds", "harmless", "refused", "told"}[c] }

// keyRow is one key of ssh_config(5). The case of its name does not matter.
type keyRow struct {
	name  string
	class Class

	// line takes the rest of the line as one value, words any number of words, at most that many;
	// otherwise it is exactly one word.
	line  bool
	words int
	// repeat lets every line count, not only the first.
	repeat bool
	// claims is the key whose first value counts, if that is not the row's own: ProxyJump and
	// ProxyCommand exclude each other.
	claims string
	// sshd marks keys that are about sshd's port: they do not count in ~/.ssh/config.
	sshd bool
	// structure marks keys that make sense in files only.
	structure bool

	// set checks the value and reads it into o. It must not depend on what o holds already: it also
	// runs on a scratch copy, to check values that do not count.
	set func(o *Options, v []string) error
	// what says what a Refused or Told row asks for, and why ignoring a Harmless row does no harm.
	// asks is true for values that ask for it; the others are harmless (nil: all ask).
	what string
	asks func(v []string) bool
	// neutral is the value that asks for nothing, for hints.
	neutral string
	// later: the row is judged when everything has been read (judgeLate).
	later bool
}

const many = 1 << 20 // words

// keyNamed finds the row of a key by its name, in any case; nil if there is no such key. It
// searches: a client looks up few keys in its life, and would have to build a table of all each
// time.
func keyNamed(name string) *keyRow {
	for _, alias := range keyAliases {
		if strings.EqualFold(name, alias[0]) {
			name = alias[1]
		}
	}
	for _, rows := range keyTables {
		for i := range rows {
			if strings.EqualFold(rows[i].name, name) {
				return &rows[i]
			}
		}
	}
	if oneOf(name, strings.Fields(obsoleteKeys)...) {
		return &keyRow{name: name, class: Harmless, words: many}
	}
	return nil
}

// claimed is the name under which a value of the row counts as given.
func (row *keyRow) claimed() string {
	if row.claims != "" {
		return row.claims
	}
	return strings.ToLower(row.name)
}

// values checks the rest of a line and splits it as the row wants.
func (row *keyRow) values(rest string) ([]string, error) {
	if rest == "" {
		return nil, errors.New("no value after " + row.name)
	}
	words, ok := splitWords(rest)
	switch {
	case !ok:
		return nil, errors.New("a quote is not closed")
	case len(words) == 0 || words[0] == "":
		return nil, errors.New("no value after " + row.name)
	case row.line:
		return []string{rest}, nil
	case len(words) > max(row.words, 1):
		if row.words > 1 {
			return nil, fmt.Errorf("%s takes %d values, and %s is left over", row.name, row.words,
				shown(strings.Join(words[row.words:], " ")))
		}
		return nil, fmt.Errorf("%s takes one value, and %s is left over", row.name,
			shown(strings.Join(words[1:], " ")))
	}
	return words, nil
}

// check runs set on a scratch copy.
func (row *keyRow) check(v []string) error {
	if row.set == nil {
		return nil
	}
	return row.set(new(Options), v)
}

// put sets the row's value in o.
func (row *keyRow) put(o *Options, v []string) error {
	if row.set == nil {
		return nil
	}
	if err := row.set(o, v); err != nil {
		return fmt.Errorf("%s: %w", row.name, err)
	}
	return nil
}

// Row is one line of the tables, for documents, completion and tests.
type Row struct {
	Name     string // "-p", "--exec", "Port"
	Argument bool   // for flags: takes one
	Class    Class
	File     bool   // for keys: it can be in a file only
	What     string // what is refused or told, or why it is harmless
}

// Table returns every flag and every -o key with its class.
func Table() (flags, keys []Row) {
	for i := range flagRows {
		row := &flagRows[i]
		flags = append(flags, Row{row.name(), row.arg, row.class, false, row.what})
	}
	return flags, keyList()
}

func keyList() (keys []Row) {
	for _, rows := range keyTables {
		for i := range rows {
			keys = append(keys, Row{rows[i].name, true, rows[i].class, rows[i].structure,
				rows[i].what})
		}
	}
	for _, name := range strings.Fields(obsoleteKeys) {
		keys = append(keys,
			Row{name, true, Harmless, false, "obsolete: ssh takes it and does nothing"})
	}
	return keys
}
