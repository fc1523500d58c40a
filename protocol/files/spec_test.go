package files

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// table is the first column of a table of FILES.md, what it has in backticks: the first table after
// a rule's name whose head begins with this word.
func table(t *testing.T, rule, head string) (names []string) {
	t.Helper()
	text, err := os.ReadFile("../FILES.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "**"+rule+".**")
	_, after, ok2 := strings.Cut(after, "\n| "+head+" |")
	if !ok || !ok2 {
		t.Fatalf("%s has no table of %s", rule, head)
	}
	rows, _, _ := strings.Cut(after, "\n\n")
	for _, row := range strings.Split(rows, "\n") {
		first, _, _ := strings.Cut(strings.TrimPrefix(row, "| "), " | ")
		for _, word := range regexp.MustCompile("^`[a-z_` ]+`$").FindAllString(first, -1) {
			names = append(names, strings.Fields(strings.ReplaceAll(word, "`", " "))...)
		}
	}
	slices.Sort(names)
	return names
}

// constants are the values of the string constants in a file whose names begin with a prefix.
func constants(t *testing.T, name, prefix string) (values []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, prefix) &&
			len(spec.Values) == 1 {
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
				value, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, value)
			}
		}
		return true
	})
	slices.Sort(values)
	return values
}

// FILES.md lists the kinds of records, their fields and the codes that the code has, and the
// reverse.
func TestSpecTables(t *testing.T) {
	fields := []string{}
	record := reflect.TypeFor[Record]()
	for i := range record.NumField() {
		name, _, _ := strings.Cut(record.Field(i).Tag.Get("json"), ",")
		fields = append(fields, name)
	}
	slices.Sort(fields)
	kinds := append(table(t, "FI4", "`kind`"), table(t, "FI5", "`kind`")...)
	slices.Sort(kinds)
	for what, both := range map[string][2][]string{
		"fields": {table(t, "FI3", "field"), fields},
		"kinds":  {slices.Compact(kinds), constants(t, "record.go", "Kind")},
		"codes":  {table(t, "FI5", "code"), constants(t, "errors.go", "Code")},
	} {
		if !slices.Equal(both[0], both[1]) {
			t.Errorf("%s: on the page\n%q, in the code\n%q", what, both[0], both[1])
		}
	}
}
