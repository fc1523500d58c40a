package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"minissh/daemon"
	"minissh/daemon/control"
	"minissh/daemon/process"
	"minissh/protocol/transport"
)

// noControl is the value of --control for no control socket.
const noControl = "none"

// openControl opens the control socket that the flags name. If none was named and the usual place
// cannot be used, the daemon works without one.
func openControl(c *cli.Context, server *daemon.Server, log *slog.Logger) error {
	path := c.String("control")
	if path == noControl {
		return nil
	}
	if path != "" {
		path, err := filepath.Abs(path)
		if err == nil {
			openHandover(server, path, log)
			err = server.Desk().Listen(path)
		}
		if err == nil {
			listenPair(c, server, path, log)
		}
		if errors.Is(err, control.ErrTaken) {
			err = advise("another minisshd has the control socket "+shown(path),
				"give this one a path of its own: --control PATH, or --control none")
		}
		return err
	}
	paths, err := control.Paths()
	if err == nil {
		openHandover(server, paths[0], log)
		err = server.Desk().Listen(paths[0])
	}
	if err == nil {
		listenPair(c, server, paths[0], log)
	} else {
		log.Warn("There is no control socket: minisshd who, end and pair do not reach this "+
			"daemon, unless it is started with --control PATH", "error", err.Error())
	}
	return nil
}

// openHandover opens what the next generation of the daemon needs, if there can be one, next to the
// control socket. It comes first: whoever asks there asks about older daemons too.
func openHandover(server *daemon.Server, control string, log *slog.Logger) {
	if generation == nil {
		return
	}
	if err := server.Handover(control + ".daemons"); err != nil {
		log.Warn("Clients whose connection is lost will not come back to this daemon once it is "+
			"replaced", "error", err.Error())
	}
}

// listenPair opens the socket of root's daemon for users who pair. The daemon can work without it.
func listenPair(c *cli.Context, server *daemon.Server, control string, log *slog.Logger) {
	if os.Geteuid() != 0 || c.String("pair-by-users") != "yes" {
		return
	}
	if err := server.Desk().ListenForUsers(control); err != nil {
		log.Warn("Users cannot pair for themselves: sudo minisshd pair --user NAME does it for "+
			"them", "error", err.Error())
	}
}

// askPair asks for codes: the user's own daemon or, for an ordinary user, the machine's.
func askPair(ctx context.Context, c *cli.Context, paths []string, offer control.Offer,
	heard func(json.RawMessage), ended *control.PairingEnded) error {
	err := control.Ask(ctx, paths, "pair", offer, heard, ended)
	if os.Geteuid() == 0 || c.IsSet("listen") || !errors.Is(err, control.ErrNoDaemon) &&
		!errors.Is(err, os.ErrPermission) {
		return err
	}
	sockets := []string{control.RootsPairSocket()}
	if path := c.String("control"); path != "" {
		sockets = []string{control.PairSocket(path)}
	}
	if offer.User == "" {
		own, err := process.CurrentAccount()
		if err != nil {
			return err
		}
		offer.User = own.Name
	}
	again := control.Ask(ctx, sockets, "pair", offer, heard, ended)
	if errors.Is(again, control.ErrNoDaemon) || errors.Is(again, os.ErrPermission) {
		return err
	}
	return again
}

// controlPaths is where, by the flags, the daemon can be asked.
func controlPaths(c *cli.Context) ([]string, error) {
	if err := emptyGiven(c, []cli.Flag{controlFlag("")}); err != nil {
		return nil, err
	}
	if path := c.String("control"); path != "" {
		return []string{path}, nil
	}
	conf := &configuration{named: c.String("config")}
	if conf.read() == nil { // a slip in it is not this verb's affair
		for _, v := range conf.settings {
			if v.flag == "control" && v.unused == "" {
				return v.values, nil
			}
		}
	}
	return control.Paths()
}

// noDaemon adds what to type if no daemon answers.
func noDaemon(c *cli.Context, err error, paths []string) error {
	if !errors.Is(err, control.ErrNoDaemon) {
		return err
	}
	what := err.Error() + ": nobody listens on " + strings.Join(paths, " or ")
	if c.String("control") != "" {
		return advise(what, "give the path that the daemon was given with --control")
	}
	if os.Geteuid() == 0 {
		return advise(what, "start it with: minisshd")
	}
	advice := "start it with: minisshd; the daemon of the whole machine is root's: sudo minisshd " +
		c.Command.Name
	if c.Command.Name == "end" {
		advice += " NUMBER, which sudo minisshd who shows"
	}
	return advise(what, advice)
}

// rootKeyLog is why root's daemon does not log keys: it serves other users too.
type rootKeyLog struct{}

func (rootKeyLog) Error() string {
	return "--keylog is refused to a daemon that runs as root: the file would open every user's " +
		"connections"
}

func (rootKeyLog) Hint() string {
	return "run minisshd as an ordinary user for it, or log the keys at the client: minissh " +
		"--keylog FILE host command"
}

// openKeyLog opens the file that --keylog names, "" being none, and warns about it (RULES A13).
func openKeyLog(path string, log *slog.Logger) (io.Writer, error) {
	if path == "" {
		return nil, nil
	}
	if os.Geteuid() == 0 {
		return nil, rootKeyLog{}
	}
	file, err := transport.OpenKeyLog(path)
	if err != nil {
		return nil, err
	}
	log.Warn("Keys are logged: " + transport.KeyLogWarning(path))
	return file, nil
}
