package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"minissh/client/completion"
	"minissh/client/cp"
	"minissh/client/dial"
	"minissh/client/job"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
)

// completeFlag is how a shell asks which words could take the place of the last one: `minissh
// --complete WORD…`. The answer is one candidate a line, with a tab and its meaning if that is
// known; nothing where a file name may come.
const completeFlag = "--complete"

func complete(words []string) {
	var all []completion.Verb
	for _, v := range verbs() {
		c := completion.Verb{Name: v.name, Usage: v.usage, Host: v.run != nil,
			Flags: slices.Concat(v.flags, v.also), Does: v.does, Many: v.name == "on",
			On: v.name == "prompt"}
		if v.name == "cp" {
			c.Copy, c.Flags = true, copyFlags()
		}
		all = append(all, c)
	}
	candidates := completion.Candidates(all, words,
		func() []string {
			names := completion.Hosts(options.CurrentEnvironment())
			if len(words) > 0 && takesMany(words) {
				if groups, err := known(); err == nil {
					names = append(names, groups.Names()...)
				}
			}
			return names
		})
	if candidates == nil {
		candidates = jobNames(words)
	}
	for _, c := range candidates {
		if c.Usage == "" {
			fmt.Println(c.Word)
		} else {
			fmt.Println(c.Word + "\t" + c.Usage)
		}
	}
}

// takesMany says whether a command line may name groups.
func takesMany(words []string) bool {
	on := slices.Index(words, "on")
	return on == 0 || on == 1 && words[0] == "prompt" ||
		words[0] == "cp" && slices.Contains(words, "--on")
}

// jobNames are the jobs of a host that begin as the last word does, after `job`, what is to be done
// to one, and the host. They are asked for there, without a question to the user; a host that is
// slow has none.
func jobNames(words []string) (names []completion.Candidate) {
	last := len(words) - 1
	if last < 3 || words[0] != "job" || words[1] == "list" ||
		slices.ContainsFunc(words[2:last], runsSomething) {
		return nil
	}
	o, err := options.Parse(slices.Concat(options.JobVerbOptions, []string{"-q", "-oBatchMode=yes",
		"-oConnectionAttempts=1", "-oStrictHostKeyChecking=yes"}, words[2:last]))
	if err != nil || len(o.Command) > 0 || o.Refuse() != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), namesTime)
	defer cancel()
	for _, r := range job.Records(ctx, &dial.Dialer{Options: o, Software: software,
		Messages: report.New(io.Discard, o)}) {
		state := strings.ReplaceAll(r.State, "_", " ")
		runs := r.State == protocol.JobRunning || r.State == protocol.JobHeld
		if words[1] == "stop" && !runs || words[1] == "remove" && runs ||
			!jobStates[r.State] {
			continue
		}
		for _, name := range []string{r.Name, r.ID} {
			if protocol.ValidJobName(name) && strings.HasPrefix(name, words[last]) {
				names = append(names, completion.Candidate{Word: name, Usage: state})
			}
		}
	}
	return names
}

// jobStates are those that are shown.
var jobStates = map[string]bool{protocol.JobRunning: true, protocol.JobEnded: true,
	protocol.JobLost: true, protocol.JobReboot: true, protocol.JobHeld: true}

// runsSomething says whether a word may name a command, which nobody has decided to run yet.
func runsSomething(word string) bool {
	return strings.Contains(strings.ToLower(word), "command")
}

// namesTime is how long a Tab key may take to know the jobs of a host.
const namesTime = 2 * time.Second

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
