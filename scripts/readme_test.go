package scripts_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// markdown are the pages that git knows, by their path from the top.
func markdown(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for _, file := range tracked(t) {
		if !strings.HasSuffix(file, ".md") {
			continue
		}
		text, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Fatal(err)
		}
		pages[filepath.ToSlash(file)] = string(text)
	}
	return pages
}

// anchors are the names under which GitHub links to the headings of a page: in lower case, without
// punctuation, with a hyphen for each space.
func anchors(page string) (names []string) {
	for line := range strings.Lines(page) {
		title := strings.TrimLeft(line, "#")
		if title == line || !strings.HasPrefix(title, " ") {
			continue
		}
		names = append(names, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(title)))
	}
	return names
}

var link = regexp.MustCompile(`\]\(([^()\s]+)\)`)

// Every link from one page to another leads to a file, and to a heading in it. What one page links
// to is said there and nowhere else.
func TestLinks(t *testing.T) {
	pages := markdown(t)
	for name, page := range pages {
		for _, found := range link.FindAllStringSubmatch(page, -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(found[1], "#")
			target := name
			if file != "" {
				target = path.Join(path.Dir(name), file)
			}
			if _, err := os.Stat(filepath.Join("..", target)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, found[1])
			} else if anchor != "" && !slices.Contains(anchors(pages[target]), anchor) {
				t.Errorf("%s links to %s, and %s has no such heading", name, found[1], target)
			}
		}
	}
}

// The first page is two screens and no more: what does not fit belongs to a program's own README.
func TestFirstPageIsShort(t *testing.T) {
	if lines := strings.Count(markdown(t)["README.md"], "\n"); lines > 150 {
		t.Errorf("README.md has %d lines, and 150 are allowed", lines)
	}
}

// The READMEs show no flag that is not there. The manual pages have those of the programs (their
// own test compares them with the programs); scripts have theirs in their text.
func TestFlagsInREADMEs(t *testing.T) {
	var known strings.Builder
	for _, file := range tracked(t) {
		inScripts := strings.HasPrefix(file, "scripts/") && !strings.HasSuffix(file, "_test.go")
		if !inScripts || strings.HasSuffix(file, ".png") {
			continue
		}
		text, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Fatal(err)
		}
		known.Write(text)
	}
	flag := regexp.MustCompile(`(?:^|[\s\x60(|])--([a-z][a-z-]+)`)
	peers := []string{"jumphost", "termseq"} // options of other programs
	// other programs' own lines, which scripts/engines runs
	engines := regexp.MustCompile(`(?s)<!-- engines: begin -->.*?<!-- engines: end -->`)
	for _, name := range []string{"README.md", "cmd/minissh/README.md", "cmd/minisshd/README.md"} {
		page := engines.ReplaceAllString(markdown(t)[name], "")
		shown := flag.FindAllStringSubmatch(page, -1)
		if len(shown) == 0 {
			t.Errorf("%s shows no flag at all", name)
		}
		for _, found := range shown {
			word := regexp.QuoteMeta(found[1])
			inPage := regexp.MustCompile(`Fl Fl ` + word + `\b|--` + word + `\b|` +
				`\w+\((?:&[\w.]+, )?"` + word + `", `)
			if !slices.Contains(peers, found[1]) && !inPage.MatchString(known.String()) {
				t.Errorf("%s shows --%s, and neither a manual page nor a script has it", name,
					found[1])
			}
		}
	}
}
