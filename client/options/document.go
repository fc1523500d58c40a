package options

import (
	"fmt"
	"strings"
)

// Document is the table of all letters and keys in Markdown, for the README.
func Document() string {
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
