package main

import (
	"errors"
	"slices"

	"github.com/urfave/cli/v2"

	"minissh/daemon"
	"minissh/protocol/flags"
)

// pairKeeps are the flags of pair that count with --list and --remove.
var pairKeeps = []string{"user", "list", "remove", "help", "h"}

// pairMisused refuses flags of pair that would say nothing beside the others.
func pairMisused(c *cli.Context) error {
	list, remove := c.Bool("list"), c.IsSet("remove")
	if !list && !remove {
		return nil
	}
	which := "--list"
	if remove {
		which = "--remove"
	}
	if list && remove {
		return &daemon.ControlError{What: "--list and --remove are two things to do", Advice: "minisshd pair --list, then minisshd pair --remove NUMBER"}
	}
	for _, name := range slices.Sorted(slices.Values(c.LocalFlagNames())) {
		if !slices.Contains(pairKeeps, name) {
			return &daemon.ControlError{What: flags.Dashed(name) + " means nothing together with " + which, Advice: "minisshd pair " + which + " goes with --user alone"}
		}
	}
	return nil
}

// pairWithRunning refuses flags that are for a daemon of pair's own where one is running already: it would not hear of them.
func pairWithRunning(c *cli.Context, paths []string) error {
	var first string
	for _, name := range slices.Sorted(slices.Values(c.LocalFlagNames())) {
		own := slices.ContainsFunc(daemonFlags(), func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
		if own && name != "control" {
			first = flags.Dashed(name)
			break
		}
	}
	if first == "" {
		return nil
	}
	err := daemon.Control(c.Context, paths, "ping", nil, nil, nil) // no such verb: whatever is answered, somebody answers
	if errors.Is(err, daemon.ErrNoDaemon) {
		return nil
	}
	return &daemon.ControlError{What: "a minisshd is running, and is not told of " + first, Advice: "minisshd pair asks it for a code; " + first + " is for a daemon that pair starts where none is running"}
}
