package options

import (
	"errors"
	"fmt"
	"strings"
)

// Class says what becomes of an option of ssh's. One table holds it for each letter and key, this
// program decides by that table, and the README's table is made from it.
type Class int

const (
	// Holds: it does what it does in ssh.
	Holds Class = iota
	// Harmless: it is checked as ssh checks it and has no effect, since nothing about where, as
	// whom or how safely one connects depends on it here.
	Harmless
	// Refused: asking for it ends with 255, in whatever file or place it is asked for, since
	// leaving it out would do something else than was asked.
	Refused
	// Told: asking for it has no effect, and one line on standard error says so.
	Told
)

// String names the class as tables in documents show it.
func (c Class) String() string { return [...]string{"holds", "harmless", "refused", "told"}[c] }

// keyRow is one key of ssh_config(5). Rows are found by their name in any case.
type keyRow struct {
	name  string
	class Class

	// line takes the rest of the line as one value, words any number of words, at most that many;
	// otherwise it is exactly one word.
	line  bool
	words int
	// repeat lets every line count, and not only the first.
	repeat bool
	// claims is the key whose first value counts, where that is not the row's own: ProxyJump and
	// ProxyCommand exclude each other.
	claims string
	// sshd marks keys that are about sshd's own port: they do not count in ~/.ssh/config.
	sshd bool
	// structure marks what makes sense in files only.
	structure bool

	// set checks the value and reads it into o. It must not depend on what o holds already, since
	// it is run on a scratch copy to check values that do not count.
	set func(o *Options, v []string) error
	// what says what a Refused or Told row asks for, and of a Harmless row why leaving it out harms
	// nothing. asks tells values that ask for it from values that do not, which are harmless (nil:
	// all do).
	what string
	asks func(v []string) bool
	// neutral is the value that asks for nothing, for hints.
	neutral string
	// later rows are judged when everything has been read (judgeLate).
	later bool
}

const many = 1 << 20 // words

// keyNamed finds the row of a key by its name, in any case; nil if there is no such key. It
// searches, since a client asks a few times in its life and a table for all names would be made
// each time.
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

// values checks and cuts the rest of a line as the row wants it.
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
			return nil, fmt.Errorf("%s takes %d values, and %s is left over", row.name, row.words, shown(strings.Join(words[row.words:], " ")))
		}
		return nil, fmt.Errorf("%s takes one value, and %s is left over", row.name, shown(strings.Join(words[1:], " ")))
	}
	return words, nil
}

// check is put on a scratch copy.
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
			keys = append(keys, Row{rows[i].name, true, rows[i].class, rows[i].structure, rows[i].what})
		}
	}
	for _, name := range strings.Fields(obsoleteKeys) {
		keys = append(keys, Row{name, true, Harmless, false, "obsolete: ssh takes it and does nothing"})
	}
	return keys
}
