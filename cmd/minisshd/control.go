package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"minissh/daemon"
	"minissh/daemon/process"
)

// noControl is the value of --control that goes without a control socket.
const noControl = "none"

func controlFlag(usage string) cli.Flag {
	return &cli.StringFlag{Name: "control", Usage: usage, DefaultText: "/run/minissh/control as root, else $XDG_RUNTIME_DIR/minissh/control or ~/.config/minissh/control"}
}

// openControl opens the control socket that the flags name. Where none was named and the usual place cannot be had, the daemon goes without: it serves its
// clients all the same.
func openControl(c *cli.Context, server *daemon.Server, log *slog.Logger) error {
	path := c.String("control")
	if path == noControl {
		return nil
	}
	if path != "" {
		path, err := filepath.Abs(path)
		if err == nil {
			err = server.ListenControl(path)
		}
		if err == nil {
			listenPair(c, server, path, log)
		}
		if errors.Is(err, daemon.ErrControlTaken) {
			err = &daemon.ControlError{What: "another minisshd has the control socket " + shown(path), Advice: "give this one a path of its own: --control PATH, or --control none"}
		}
		return err
	}
	paths, err := daemon.ControlPaths()
	if err == nil {
		err = server.ListenControl(paths[0])
	}
	if err == nil {
		listenPair(c, server, paths[0], log)
	} else {
		log.Warn("There is no control socket: minisshd who, end and pair do not reach this daemon, unless it is started with --control PATH", "error", err.Error())
	}
	return nil
}

// listenPair opens a daemon of root's socket for users who pair. Where it cannot be had, the daemon goes without.
func listenPair(c *cli.Context, server *daemon.Server, control string, log *slog.Logger) {
	if os.Geteuid() != 0 || c.String("pair-by-users") != "yes" {
		return
	}
	if err := server.ListenPairByUsers(control); err != nil {
		log.Warn("Users cannot pair for themselves: sudo minisshd pair --user NAME does it for them", "error", err.Error())
	}
}

// askPair asks for codes: a daemon of one's own or, as an ordinary user, the machine's, which pairs each user for itself.
func askPair(ctx context.Context, c *cli.Context, paths []string, offer daemon.Offer, heard func(json.RawMessage), ended *daemon.PairingEnded) error {
	err := daemon.Control(ctx, paths, "pair", offer, heard, ended)
	if os.Geteuid() == 0 || c.IsSet("listen") || !errors.Is(err, daemon.ErrNoDaemon) && !errors.Is(err, os.ErrPermission) {
		return err
	}
	sockets := []string{daemon.RootsPairSocket()}
	if path := c.String("control"); path != "" {
		sockets = []string{daemon.PairSocket(path)}
	}
	if offer.User == "" {
		own, err := process.CurrentAccount()
		if err != nil {
			return err
		}
		offer.User = own.Name
	}
	again := daemon.Control(ctx, sockets, "pair", offer, heard, ended)
	if errors.Is(again, daemon.ErrNoDaemon) || errors.Is(again, os.ErrPermission) {
		return err
	}
	return again
}

// controlPaths is where the flags say that the daemon can be asked.
func controlPaths(c *cli.Context) ([]string, error) {
	if path := c.String("control"); path != "" {
		return []string{path}, nil
	}
	return daemon.ControlPaths()
}

// noDaemon adds what can be typed where no daemon answers.
func noDaemon(c *cli.Context, err error, paths []string) error {
	if !errors.Is(err, daemon.ErrNoDaemon) {
		return err
	}
	what := err.Error() + ": nobody listens on " + strings.Join(paths, " or ")
	if c.String("control") != "" {
		return &daemon.ControlError{What: what, Advice: "give the path that the daemon was given with --control"}
	}
	if os.Geteuid() == 0 {
		return &daemon.ControlError{What: what, Advice: "start it with: minisshd"}
	}
	advice := "start it with: minisshd; the daemon of the whole machine is root's: sudo minisshd " + c.Command.Name
	if c.Command.Name == "end" {
		advice += " NUMBER, which sudo minisshd who shows"
	}
	return &daemon.ControlError{What: what, Advice: advice}
}
