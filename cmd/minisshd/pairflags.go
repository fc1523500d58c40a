package main

import (
	"errors"
	"slices"

	"github.com/urfave/cli/v2"

	"minissh/daemon/control"
	"minissh/protocol/flags"
)

// pairKeeps are the flags of pair that have a meaning with --list and --remove.
var pairKeeps = []string{"user", "list", "remove", "help", "h"}

// pairMisused refuses flags of pair that would mean nothing next to the others.
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
		return advise("--list and --remove cannot be combined",
			"minisshd pair --list, then minisshd pair --remove NUMBER")
	}
	for _, name := range slices.Sorted(slices.Values(c.LocalFlagNames())) {
		if !slices.Contains(pairKeeps, name) {
			return advise(flags.Dashed(name)+" means nothing together with "+which,
				"minisshd pair "+which+" goes with --user only")
		}
	}
	return nil
}

// pairWithRunning refuses the daemon's flags if a daemon is running already: it would not learn of
// them.
func pairWithRunning(c *cli.Context, paths []string) error {
	var first string
	for _, name := range slices.Sorted(slices.Values(c.LocalFlagNames())) {
		own := slices.ContainsFunc(daemonFlags(),
			func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
		if own && name != "control" && name != "config" {
			first = flags.Dashed(name)
			break
		}
	}
	if first == "" {
		return nil
	}
	// there is no such verb: any answer means that a daemon is there
	err := control.Ask(c.Context, paths, "ping", nil, nil, nil)
	if errors.Is(err, control.ErrNoDaemon) {
		return nil
	}
	return advise("a minisshd is running already, and cannot take "+first,
		"minisshd pair asks it for a code; "+first+
			" is for a daemon that pair starts if none is running")
}
