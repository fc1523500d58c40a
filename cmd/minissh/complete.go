package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"minissh/client/completion"
	"minissh/client/copying"
	"minissh/client/options"
)

// completeFlag is how a shell asks what could stand at the place of the last word: `minissh --complete WORD…`. The answer is one candidate a
// line, with a tab and its meaning if that is known; nothing where the name of a file may stand.
const completeFlag = "--complete"

func complete(words []string) {
	var verbs []completion.Verb
	for _, command := range app().Commands {
		if command.Hidden {
			continue
		}
		v := completion.Verb{Name: command.Name, Usage: command.Usage, Host: command.SkipFlagParsing}
		for _, flag := range command.Flags {
			if shown, ok := flag.(cli.VisibleFlag); ok && !shown.IsVisible() {
				continue
			}
			value, ok := flag.(cli.DocGenerationFlag)
			for _, name := range flag.Names() {
				dashes := "--"
				if len(name) == 1 {
					dashes = "-"
				}
				f := completion.Flag{Name: dashes + name, Argument: ok && value.TakesValue()}
				if ok {
					f.Usage = strings.ReplaceAll(value.GetUsage(), "`", "")
				}
				v.Flags = append(v.Flags, f)
			}
		}
		if v.Name == "cp" {
			v.Copy, v.Flags = true, copyFlags()
		}
		verbs = append(verbs, v)
	}
	verbs = append(verbs, completion.Verb{Name: "help", Usage: "help about minissh or a verb"})
	for _, c := range completion.Candidates(verbs, words, func() []string { return completion.Hosts(options.CurrentEnvironment()) }) {
		if c.Usage == "" {
			fmt.Println(c.Word)
		} else {
			fmt.Println(c.Word + "\t" + c.Usage)
		}
	}
}

// copyFlags are those of `minissh cp`: its help lists them in lines that begin with one, "  -r   text" or "  -P port, -4, …".
func copyFlags() (flags []completion.Flag) {
	for line := range strings.Lines(copying.Usage) {
		if !strings.HasPrefix(line, "  -") {
			continue
		}
		column, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
		for piece := range strings.SplitSeq(column, ", ") {
			words := strings.Fields(piece)
			flags = append(flags, completion.Flag{Name: words[0], Argument: len(words) > 1 && words[1] != "as"})
		}
	}
	return flags
}
