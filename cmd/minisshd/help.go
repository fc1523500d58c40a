package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"
)

// Help fits in a terminal of 80 columns. What an option means begins at usageColumn.
const (
	helpWidth   = 80
	usageColumn = 35
)

// asOneLine is urfave/cli's own text of an option: its name, a tab, and what it means.
var asOneLine = cli.FlagStringer

func init() {
	cli.FlagStringer = func(f cli.Flag) string {
		name, usage, _ := strings.Cut(asOneLine(f), "\t")
		name, _, _ = strings.Cut(name, " [ ") // " [ --listen ADDRESS ]" repeats the name
		return fmt.Sprintf("%-*s", usageColumn-len("   "), name) + fill(usage, usageColumn)
	}
	cli.HelpPrinter = func(w io.Writer, template string, data any) {
		cli.HelpPrinterCustom(w, template, data, map[string]any{"wrap": fillUnlessOption})
	}
}

// fillUnlessOption is the templates' wrap. Options are in two columns already.
func fillUnlessOption(text string, column int) string {
	if strings.HasPrefix(text, "--") {
		return text
	}
	return fill(text, column)
}

// fill breaks a text that begins at a column, so that all its lines begin there.
func fill(text string, column int) string {
	filled, at := "", column
	for word := range strings.FieldsSeq(text) {
		switch {
		case filled == "":
		case at+1+len(word) > helpWidth:
			filled, at = filled+"\n"+strings.Repeat(" ", column), column
		default:
			filled, at = filled+" ", at+1
		}
		filled, at = filled+word, at+len(word)
	}
	return filled
}
