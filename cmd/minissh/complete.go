package main

import (
	"fmt"
	"slices"
	"strings"

	"minissh/client/completion"
	"minissh/client/cp"
	"minissh/client/options"
)

// completeFlag is how a shell asks which words could take the place of the last one: `minissh
// --complete WORD…`. The answer is one candidate a line, with a tab and its meaning if that is
// known; nothing where a file name may come.
const completeFlag = "--complete"

func complete(words []string) {
	var known []completion.Verb
	for _, v := range verbs() {
		c := completion.Verb{Name: v.name, Usage: v.usage, Host: v.run != nil,
			Flags: slices.Concat(v.flags, v.also), Does: v.does}
		if v.name == "cp" {
			c.Copy, c.Flags = true, copyFlags()
		}
		known = append(known, c)
	}
	for _, c := range completion.Candidates(known, words,
		func() []string { return completion.Hosts(options.CurrentEnvironment()) }) {
		if c.Usage == "" {
			fmt.Println(c.Word)
		} else {
			fmt.Println(c.Word + "\t" + c.Usage)
		}
	}
}

// copyFlags are those of `minissh cp`: its help lists them in lines that begin with one, "  -r
// text" or "  -P port, -4, …".
func copyFlags() (flags []completion.Flag) {
	for line := range strings.Lines(cp.Usage) {
		if !strings.HasPrefix(line, "  -") {
			continue
		}
		column, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
		for piece := range strings.SplitSeq(column, ", ") {
			words := strings.Fields(piece)
			flags = append(flags, completion.Flag{Name: words[0], Argument: len(words) > 1 &&
				words[1] != "as"})
		}
	}
	return flags
}
