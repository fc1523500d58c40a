package main

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/urfave/cli/v2"

	"minissh/daemon"
	"minissh/daemon/control"
	"minissh/daemon/supervise"
	"minissh/protocol"
	"minissh/protocol/flags"
)

// errSilent ends the program with code 1. Another process has said why.
var errSilent = errors.New("it has been said why")

// wantsSupervisor is what --supervisor says.
func wantsSupervisor(c *cli.Context) (bool, error) {
	switch how := c.String("supervisor"); how {
	case "auto":
		return hasSupervisor && os.Getenv("NOTIFY_SOCKET") != "", nil
	case "no":
		return false, nil
	case "yes":
		if !hasSupervisor {
			return false, errors.New("--supervisor yes: only Linux has supervisors")
		}
		return true, nil
	default:
		return false, fmt.Errorf("--supervisor is auto, yes or no, not %s", protocol.Quote(how))
	}
}

// beginnings are what the daemon's parent has passed: sockets, and the way to a service manager.
func beginnings(generation *supervise.Generation) (activated []net.Listener, boss *manager,
	err error) {
	if generation != nil {
		activated, err = daemon.Passed(generation.Activated())
	} else {
		activated, err = daemon.Activated(ofSupervisor)
	}
	if err == nil {
		boss, err = managerOf(generation)
	}
	return activated, boss, err
}

func upgradeCommand() *cli.Command {
	return &cli.Command{
		Name: "upgrade", Usage: "replace the running daemon by a new one, and end no session",
		ArgsUsage: " ",
		Description: "The new daemon is the program that is installed now, with the options that " +
			"the running one was started with. Sessions go on in the old daemon until they end. " +
			"If the new one does not start, the old one stays. It needs a daemon with a " +
			"supervisor, as a service has one (--supervisor).",
		Flags: flags.Once(controlFlag("the daemon's control socket: the `PATH` that it was " +
			"started with")),
		Action: func(c *cli.Context) error {
			if err := optionsOnly(c); err != nil {
				return err
			}
			var done control.UpgradeInfo
			if err := ask(c, "upgrade", nil, &done); err != nil {
				return err
			}
			fmt.Printf("minisshd: process %d serves from now on\n", done.PID)
			return nil
		},
		OnUsageError: usageError,
	}
}
