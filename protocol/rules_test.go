package protocol

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rules are the names by which rules are cited (FR1, FR2, …), in the order of the pages.
var rules = []string{"FR", "JS", "CH", "EX", "ID", "CA", "SE", "CO", "TE", "LI", "SU", "FI", "FO",
	"JO", "RE", "PA", "LO", "CE"}

var (
	cited   = regexp.MustCompile(`\b(?:` + strings.Join(rules, "|") + `)[1-9][0-9]*\b`)
	defined = regexp.MustCompile(`(?m)^\*\*([A-Z]{2}[0-9]+)\.\*\*`)
	// retired is how rules were cited while they had the numbers of sections.
	retired = regexp.MustCompile(`\bP[0-9]+\.[0-9]+\b`)
)

// Rules are numbered from 1, each once, in order, and each on one page.
func TestRulesAreNumbered(t *testing.T) {
	var found, want []string
	for _, name := range pages {
		for _, rule := range defined.FindAllStringSubmatch(page(t, name), -1) {
			found = append(found, rule[1])
		}
	}
	for _, kind := range rules {
		for n := 1; slices.Contains(found, kind+strconv.Itoa(n)); n++ {
			want = append(want, kind+strconv.Itoa(n))
		}
	}
	if !slices.Equal(found, want) {
		t.Errorf("the rules are\n%s, not\n%s", strings.Join(found, " "), strings.Join(want, " "))
	}
}

// Every rule that the repository cites is on the pages.
func TestCitedRules(t *testing.T) {
	known := map[string]bool{}
	for _, name := range pages {
		for _, rule := range defined.FindAllStringSubmatch(page(t, name), -1) {
			known[rule[1]] = true
		}
	}
	citations := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name != ".." && strings.HasPrefix(name, ".") || name == "dist" ||
				name == "testdata" && strings.Contains(path, "fuzz") {
				return filepath.SkipDir
			}
			return nil
		}
		if !slices.Contains([]string{".go", ".md", ".txt", ".py", ".lua"}, filepath.Ext(path)) ||
			filepath.Base(path) == "rules_test.go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(text), "\n") {
			for _, rule := range cited.FindAllString(line, -1) {
				if citations++; !known[rule] {
					t.Errorf("%s:%d: there is no rule %s", path, i+1, rule)
				}
			}
			if old := retired.FindString(line); old != "" {
				t.Errorf("%s:%d: %s is not how a rule is cited", path, i+1, old)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if citations < 400 {
		t.Errorf("only %d citations", citations)
	}
}

// PROTOCOL.md can be read in one sitting: it has at most 3,500 words outside its examples and
// diagrams.
func TestSpecIsShort(t *testing.T) {
	const most = 3500
	words, block := 0, false
	for line := range strings.Lines(page(t, "PROTOCOL.md")) {
		if strings.HasPrefix(line, "```") {
			block = !block
			continue
		}
		if block || strings.HasPrefix(line, "    ") {
			continue
		}
		for _, word := range strings.Fields(line) {
			if strings.Trim(word, "|-") != "" {
				words++
			}
		}
	}
	if words > most {
		t.Errorf("%d words", words)
	}
}
