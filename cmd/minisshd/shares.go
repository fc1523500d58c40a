package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"minissh/daemon"
)

// shareFlags are about what one user may take of what is there for all.
func shareFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "max-sessions-per-user", Usage: "sessions at once of one user: an account, or a key where the daemon serves one account", DefaultText: "an eighth of --max-sessions: 512"},
		&cli.IntFlag{Name: "max-commands", Value: 8192, Usage: "commands and transfers at once, of all users"},
		&cli.IntFlag{Name: "max-commands-per-user", Value: 512, Usage: "commands and transfers at once in all sessions of one user"},
		&cli.IntFlag{Name: "reserve", Usage: "this many sessions, commands and unauthenticated connections are kept for root", DefaultText: "16"},
		&cli.DurationFlag{Name: "idle-timeout", Usage: "end a session in which nothing was sent either way for so long", DefaultText: "never"},
	}
}

// readShares checks what shareFlags say. What is not set is left to the daemon.
func readShares(c *cli.Context) (daemon.Shares, error) {
	shares := daemon.Shares{
		Sessions: c.Int("max-sessions-per-user"), AllCommands: c.Int("max-commands"), Commands: c.Int("max-commands-per-user"), Reserve: c.Int("reserve"),
	}
	for _, name := range []string{"max-sessions-per-user", "max-commands", "max-commands-per-user"} {
		if c.IsSet(name) && c.Int(name) < 1 {
			return shares, fmt.Errorf("--%s is at least 1, not %d", name, c.Int(name))
		}
	}
	if c.IsSet("idle-timeout") && c.Duration("idle-timeout") <= 0 {
		return shares, fmt.Errorf("--idle-timeout is a time above 0, like 30m or 12h, not %v; without it no session is too idle", c.Duration("idle-timeout"))
	}
	if !c.IsSet("reserve") {
		return shares, nil
	}
	for _, name := range []string{"max-sessions", "max-startups", "max-commands"} {
		if shares.Reserve < 0 || shares.Reserve >= c.Int(name) {
			return shares, fmt.Errorf("--reserve is 0 or more, and less than --%s, which is %d; not %d", name, c.Int(name), shares.Reserve)
		}
	}
	if shares.Reserve == 0 {
		shares.Reserve = -1 // none, which to the daemon is something else than untold
	}
	return shares, nil
}
