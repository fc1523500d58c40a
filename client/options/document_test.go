package options

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of options into cmd/minissh/README.md")

// document is the table of all letters and keys in Markdown, for the README.
func document() string {
	flags, keys := Table()
	var b strings.Builder
	b.WriteString("| option | class | what |\n|---|---|---|\n")
	for _, rows := range [][]Row{flags, keys} {
		for _, row := range rows {
			if !strings.HasPrefix(row.Name, "--") {
				fmt.Fprintf(&b, "| `%s` | %s | %s |\n", row.Name, row.Class, row.What)
			}
		}
	}
	for _, alias := range keyAliases {
		fmt.Fprintf(&b, "| `%s` | as `%s` | |\n", alias[0], alias[1])
	}
	return b.String()
}

// TestDocument: the README's table is the one that this program decides by. `go test
// ./client/options -run TestDocument -update` writes it.
func TestDocument(t *testing.T) {
	const file, begin, end = "../../cmd/minissh/README.md", "<!-- table: begin -->\n",
		"<!-- table: end -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	table, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table", file)
	}
	if want := document(); *update {
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if table != want {
		t.Errorf("the table of %s is not the program's: go test ./client/options -run "+
			"TestDocument -update", file)
	}
}

// TestClasses: each row of the table says what it must say.
func TestClasses(t *testing.T) {
	flags, keys := Table()
	for _, row := range append(flags, keys...) {
		if (row.Class != Holds) != (row.What != "") {
			t.Errorf("%s is %s, and the table says %q about it", row.Name, row.Class, row.What)
		}
	}
	for _, rows := range keyTables {
		for _, row := range rows {
			if (row.class == Refused || row.class == Told) && !row.later && row.asks != nil &&
				row.neutral == "" && row.class == Refused {
				t.Errorf("%s has no value that asks for nothing", row.name)
			}
		}
	}
}
