package prompt

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Names of files here, after put: in quotes or with backslashes, as they are typed.
func TestCompleteFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("not run: a backslash is not for quoting there")
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Chdir(t.TempDir())
	for _, name := range []string{"one", "two words", "it's", `q"b\s`, "esc\x1b", ".hidden",
		"dir x/in it", home + "/mine"} {
		os.MkdirAll(filepath.Dir(name), 0o700)
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for line, want := range map[string]string{
		"put o":             "put one ",
		"  put one tw":      `  put one two\ words `,
		`put two\ w`:        `put two\ words `,
		`put "tw`:           `put "two words" `,
		`put 'tw`:           `put 'two words' `,
		`put "two w`:        `put "two words" `,
		`put t"wo w`:        `put "two words" `,
		`put it`:            `put it\'s `,
		`put "it`:           `put "it's" `,
		`put 'it`:           `put it\'s `, // there is nothing for a ' in '…'
		`put q`:             `put q\"b\\s `,
		`put "q`:            `put "q\"b\\s" `,
		`put d`:             `put dir\ x/`,
		`put dir\ x/`:       `put dir\ x/in\ it `,
		`put "d`:            `put "dir x/`,
		`put "dir x/`:       `put "dir x/in it" `,
		`put 'one' "dir x/`: `put 'one' "dir x/in it" `,
		"put .h":            "put .hidden ",
		"put ~/m":           "put ~/mine ",
		"put e":             "put e",
		"put none":          "put none",
		`put "q\`:           `put "q\`,
		"get o":             "get o",
		"o":                 "o",
		"puto":              "puto",
	} {
		got, found := line, completeFiles(t.Context(), line, len(line))
		if len(found.Candidates) == 1 {
			got = line[:found.From] + found.Candidates[0].Text
		}
		if got != want {
			t.Errorf("%s: %q", line, got)
			continue
		}
		words, err := fileWords(strings.TrimPrefix(strings.TrimLeft(want, " "), "put "))
		missing := func(word string) bool {
			_, err := os.Lstat(fromHome(word))
			return err != nil
		}
		if err == nil && strings.HasSuffix(want, " ") && slices.ContainsFunc(words, missing) {
			t.Errorf("%s is not read as the name of a file: %q", want, words)
		}
	}
	for line, want := range map[string]string{"!cat o": "!cat one ", "! cat o": "! cat o"} {
		found := completeFiles(t.Context(), line, len(line))
		if len(found.Candidates) == 1 {
			line = line[:found.From] + found.Candidates[0].Text
		}
		if line != want {
			t.Errorf("%q, not %q", line, want)
		}
	}
	found := completeFiles(t.Context(), "put ", 4)
	var shown []string
	for _, c := range found.Candidates {
		shown = append(shown, c.Display)
	}
	if got := strings.Join(shown, "|"); got != `dir x/|it's|one|q"b\s|two words` {
		t.Errorf("listed are %s", got)
	}
}
