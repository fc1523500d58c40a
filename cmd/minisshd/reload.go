package main

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"minissh/daemon"
	"minissh/daemon/access"
	"minissh/daemon/logbook"
	"minissh/protocol/keys"
)

// changeable are the flags that a running daemon can take on anew, for what begins from now on. The
// others wait for a new daemon.
var changeable = append(slices.Clone(perLogin), "host-key", "host-certificate", sectionsHeld)

// sectionsHeld stands for the Match sections among flags.
const sectionsHeld = "Match"

// reloading is what SIGHUP reads again.
type reloading struct {
	app    *cli.App
	conf   *configuration
	set    *settings
	holds  map[string]string // by flag, what the daemon goes by
	admits access.Access
	server *daemon.Server
	log    *slog.Logger
}

// held is what each of a daemon's flags says, and the sections.
func held(c *cli.Context, conf *configuration) map[string]string {
	all := map[string]string{sectionsHeld: conf.sectionsText()}
	for _, f := range daemonFlags() {
		all[f.Names()[0]] = fmt.Sprintf("%q", valuesOf(c, f))
	}
	return all
}

// reload reads the files of settings and the host key. What cannot be read stays as it was.
func (r *reloading) reload() {
	r.log.Info("Reloading")
	if err := r.settings(); err != nil {
		words := []any{"error", err.Error()}
		if hint := logbook.Hint(err); hint != "" {
			words = append(words, "hint", hint)
		}
		r.log.Error("The settings stay what they were", words...)
	}
	hostKey, _, err := r.set.hostKey(r.log)
	if err == nil {
		err = r.server.Reload(hostKey)
	}
	if err != nil {
		r.log.Error("The host key stays what it was", "error", err.Error())
		return
	}
	r.log.Info("Reloaded", "host_key", keys.Fingerprint(hostKey.Public))
}

// settings reads the files, and takes on what a daemon that runs can. All of them are judged first.
func (r *reloading) settings() error {
	c, conf, err := r.conf.again(r.app)
	if err != nil {
		return err
	}
	var book *access.Book
	set, err := readSettings(c)
	if err == nil {
		_, err = logLevel(c)
	}
	if err == nil {
		_, err = wantsSupervisor(c)
	}
	if err == nil {
		err = set.judgeTrust()
	}
	if err == nil {
		book, err = conf.book(r.app, set.account)
	}
	if err != nil {
		return conf.located(err)
	}
	r.set, r.conf = set, conf
	r.admits.(access.Changer).Change(book)
	var taken, waiting []string
	for name, value := range held(c, conf) {
		switch {
		case r.holds[name] == value:
		case slices.Contains(changeable, name):
			r.holds[name] = value
			taken = append(taken, name)
		default:
			waiting = append(waiting, name)
		}
	}
	slices.Sort(taken)
	slices.Sort(waiting)
	if len(taken) > 0 {
		r.log.Info("Changed settings hold from now on", "settings",
			strings.Join(taken, " "))
	}
	if len(waiting) > 0 {
		r.log.Warn("Changed settings wait for a new daemon", "settings",
			strings.Join(waiting, " "), "hint", "minisshd upgrade, or restart the daemon")
	}
	return nil
}
