package scripts_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/width"
)

// rule is a phrase that people stumble over, and what to write instead. What `unless` finds is good
// English; the phrase is looked for in the rest.
type rule struct {
	never, unless *regexp.Regexp
	instead       string
}

func phrase(never, unless, instead string) rule {
	r := rule{never: regexp.MustCompile(`(?i)` + never), instead: instead}
	if unless != "" {
		r.unless = regexp.MustCompile(`(?i)` + unless)
	}
	return r
}

// phrases are the worst of what was once written all over this tree.
var phrases = []rule{
	phrase(`\b(?:is|are|was|were|be|been|being) no \w+`,
		`\bthere (?:is|are|was|were|may be|can be|will be|has been|have been) no\b|`+
			`\b(?:is|are) there no\b|\b(?:is|are|was|were|be) no (?:longer|more than|less|such)\b`,
		`"is not a number" or "is invalid", never "is no number"`),
	phrase(`\b(?:is|are|was|were|be) none\b`, `\bthere (?:is|are|was|were|may be) none\b`,
		`"is not one", never "is none"`),
	phrase(`\bnone at all\b`, ``, `"is invalid", never "is none at all"`),
	phrase(`\b(?:stands?|stood|standing)\b`, `\bstands? for\b|\bstand(?:s|ing)? alone\b`,
		`"is in", "comes before", "belongs to", never "stands"`),
	phrase(`\bbehind\b`,
		`\b(?:left|leaves?|leaving)(?: \S+){0,4} behind\b|`+
			`\bbehind (?:(?:a|an|the|one|same) )*(?:NAT|proxy|proxies|relay|firewall|router)\b`,
		`"after", "next to", "beside", never "behind"`),
	phrase(`\ban? (?:tenth|eleventh|twelfth|\w+teenth|twentieth|\w+tieth|hundredth|thousandth)\b`,
		``,
		`per cent, never "a thirteenth"`),
	phrase(`\bwhom it\b`, ``, `"whose it is"`),
	phrase(`\bbeside (?:that|this)[:,.]`, ``, `"besides", or a list`),
	phrase(`\bbecomes? known\b`, ``, `who makes whom known to whom`),
	phrase(`\bcd lasts\b`, ``, `"cd persists"`),
}

// wrong is the first of the phrases in a text, and what to write instead; "" if there is none.
func wrong(text string) (found, instead string) {
	text = strings.Join(strings.Fields(text), " ")
	for _, r := range phrases {
		rest := text
		if r.unless != nil {
			rest = r.unless.ReplaceAllString(text, "…")
		}
		if found := r.never.FindString(rest); found != "" {
			return found, r.instead
		}
	}
	return "", ""
}

// A list that lets good English through, and does not let the worst through.
func TestPhrases(t *testing.T) {
	for text, bad := range map[string]bool{
		"which is no number of sockets":              true,
		"the first word that is none":                true,
		"Its signature is none at all":               true,
		"a key stands not in the file":               true,
		"a pause stands in for it":                   true,
		"flags that come behind the address":         true,
		"in the file, which\nis no\nregular file":    true,
		"it takes a thirteenth more":                 true,
		"whom it is now nobody knows":                true,
		"cd lasts. Beside that: nothing":             true,
		"a host that it becomes known to":            true,
		"there is no number, and there are none":     false,
		"it is no longer there":                      false,
		"%h stands for the user's home":              false,
		"nothing is left behind":                     false,
		"a client that leaves two processes behind":  false,
		"an address behind a NAT":                    false,
		"I do not understand the standard behaviour": false,
	} {
		if found, _ := wrong(text); (found != "") != bad {
			t.Errorf("%q: found %q", text, found)
		}
	}
}

// What is written in comments, messages and pages is plain English.
func TestWords(t *testing.T) {
	for _, file := range sources(t) {
		if file == "scripts/words_test.go" {
			continue
		}
		fset, tree := parse(t, file, parser.ParseComments)
		said := func(at token.Pos, text string) {
			if found, instead := wrong(text); found != "" {
				t.Errorf("%v: %q; write %s", fset.Position(at), found, instead)
			}
		}
		for _, group := range tree.Comments {
			said(group.Pos(), group.Text())
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			text, ok := literal(e)
			if ok {
				said(n.Pos(), text)
			}
			return !ok
		})
	}
	for _, file := range pages(t) {
		text, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Fatal(err)
		}
		line := 1
		for _, paragraph := range strings.SplitAfter(string(text), "\n\n") {
			if found, instead := wrong(paragraph); found != "" {
				t.Errorf("%s: after line %d: %q; write %s", file, line, found, instead)
			}
			line += strings.Count(paragraph, "\n")
		}
	}
}

// literal is the text of a string literal, or of several that are joined with +.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, err := strconv.Unquote(e.Value)
			return text, err == nil
		}
	case *ast.BinaryExpr:
		left, ok := literal(e.X)
		right, also := literal(e.Y)
		return left + right, ok && also && e.Op == token.ADD
	}
	return "", false
}

// pages are the files to read that are not Go: Markdown, manual pages, scripts, units.
func pages(t *testing.T) (files []string) {
	t.Helper()
	for _, file := range tracked(t) {
		text := strings.HasPrefix(file, "scripts/") && !strings.HasSuffix(file, ".png") &&
			!strings.HasSuffix(file, ".go")
		if text || strings.HasSuffix(file, ".md") {
			files = append(files, file)
		}
	}
	return files
}

const (
	columns    = 100
	rowColumns = 160 // of a row of a table in Go: {…},
)

// columnsOf is the width of a line: a tab counts as four, a Chinese character as two.
func columnsOf(line string) (n int) {
	for _, r := range line {
		switch kind := width.LookupRune(r).Kind(); {
		case r == '\t':
			n += 4
		case kind == width.EastAsianWide || kind == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// setAside are lines that cannot be wrapped, or would only be harder to read: addresses and hex.
var setAside = regexp.MustCompile(`://|[0-9A-Fa-f]{32}|(?:[0-9A-Fa-f]{2} ){12}`)

func tooWide(file, line string) error {
	n, most := columnsOf(line), columns
	code := strings.TrimSpace(line)
	switch {
	case strings.HasSuffix(file, ".md") && strings.HasPrefix(code, "|"):
		return nil
	case strings.HasSuffix(file, ".go") && strings.HasPrefix(code, "{") &&
		strings.HasSuffix(code, "},"):
		most = rowColumns
	}
	if n <= most || setAside.MatchString(line) {
		return nil
	}
	return fmt.Errorf("%d columns, and %d are allowed", n, most)
}

// Source and pages fit a hundred columns; tables, addresses, hex, generated files and raw strings
// of tests (which hold vectors) are set aside.
func TestWidth(t *testing.T) {
	for _, file := range sources(t) {
		fset, tree := parse(t, file, parser.ParseComments)
		if ast.IsGenerated(tree) {
			continue
		}
		raw := map[int]bool{} // lines that are part of raw strings, where these are set aside
		ast.Inspect(tree, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if ok && strings.HasPrefix(lit.Value, "`") && strings.HasSuffix(file, "_test.go") {
				for line := fset.Position(lit.Pos()).Line; line <= fset.Position(
					lit.End()).Line; line++ {
					raw[line] = true
				}
			}
			return true
		})
		checkWidth(t, file, raw)
	}
	for _, file := range pages(t) {
		if strings.HasSuffix(file, ".md") {
			checkWidth(t, file, nil)
		}
	}
}

func checkWidth(t *testing.T, file string, aside map[int]bool) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", file))
	if err != nil {
		t.Fatal(err)
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if err := tooWide(file, strings.TrimRight(line, "\r\n")); err != nil && !aside[number] {
			t.Errorf("%s:%d: %v", file, number, err)
		}
	}
}
