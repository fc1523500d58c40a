package prompt

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"minissh/client/editor"
	"minissh/client/syntax"
	"minissh/client/terminal"
)

// isForHere says whether a text begins a line whose words are names of local files.
func isForHere(text string) bool {
	text = strings.TrimLeft(text, " ")
	return strings.HasPrefix(text, "put ") || isLocal(text)
}

// completeFiles completes the names of local files, after `put` and in a line for this machine.
func completeFiles(_ context.Context, line string, pos int) editor.Completion {
	if !isForHere(line[:pos]) {
		return editor.Completion{}
	}
	from, part, quoted := wordBefore(line[:pos])
	found := editor.Completion{From: from}
	if from < 0 {
		return found
	}
	dir, base := filepath.Split(part)
	entries, err := os.ReadDir(filepath.Clean(fromHome(dir) + "."))
	if err != nil {
		return found
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, base) || base == "" && name[0] == '.' ||
			terminal.Printable(name) != name {
			continue
		}
		info, err := os.Stat(filepath.Join(fromHome(dir), name))
		folder := err == nil && info.IsDir()
		c := editor.Candidate{Text: typedName(dir+name, quoted, folder), Display: name}
		if folder {
			c.Display += "/"
		}
		found.Candidates = append(found.Candidates, c)
	}
	return found
}

// wordBefore is the word at the end of a text, as fileWords reads it: where it begins, what it
// says, and the quote that is open at its end (0: none is).
func wordBefore(text string) (from int, word string, quoted byte) {
	for {
		size := syntax.WordSize(text[from:], " \t")
		if from+size == len(text) {
			break
		}
		from += size + 1
	}
	words, err := fileWords(text[from:])
	for _, quote := range []string{`'`, `"`} {
		if err != nil {
			if words, err = fileWords(text[from:] + quote); err == nil {
				quoted = quote[0]
			}
		}
	}
	if err != nil {
		return -1, "", 0
	}
	return from, strings.Join(words, ""), quoted
}

// typedName writes a name so that fileWords reads it as one, with the quote that is open. The name
// of a folder may go on.
func typedName(name string, quoted byte, folder bool) string {
	closing, blank := "", " "
	switch {
	case filepath.Separator != '/': // there, a backslash is not for quoting
		if quoted != 0 || strings.Contains(name, " ") {
			name, closing = `"`+name, `"`
		}
	case quoted == '\'' && !strings.Contains(name, `'`):
		name, closing = `'`+name, `'`
	case quoted == '"':
		name, closing = `"`+strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(name), `"`
	default:
		name = strings.NewReplacer(` `, `\ `, `'`, `\'`, `"`, `\"`, `\`, `\\`).Replace(name)
	}
	if folder {
		closing, blank = "", "/"
	}
	return name + closing + blank
}
