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
var changeable = []string{"allow-users", "deny-users", "allow-groups", "deny-groups",
	"permit-root", "authorized-keys", "trusted-user-ca", "revoked-keys",
	"permit-user-environment", "host-key", "host-certificate", "hold", "idle-timeout",
	"max-channels", "subsystem", "allow-forwarding", "gateway-ports", "allow-agent-forwarding"}

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

// held is what each of a daemon's flags says.
func held(c *cli.Context) map[string]string {
	all := map[string]string{}
	for _, f := range daemonFlags() {
		all[f.Names()[0]] = fmt.Sprintf("%q", valuesOf(c, f))
	}
	return all
}

// changing are the options that a running daemon can change.
func (s *settings) changing(c *cli.Context, to *daemon.Options) {
	to.MaxChannels, to.IdleTimeout = c.Int("max-channels"), c.Duration("idle-timeout")
	to.Hold, to.Subsystems, to.Forwarding = s.hold, s.subsystems, s.forwarding
	to.GatewayPorts, to.NoAgents = s.gatewayPorts, c.String("allow-agent-forwarding") == "no"
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
		err = r.admits.(access.Changer).Change(set.policy, set.files, set.trust)
	}
	if err != nil {
		return conf.located(err)
	}
	r.set, r.conf = set, conf
	var options daemon.Options
	set.changing(c, &options)
	r.server.Change(options)
	var taken, waiting []string
	for name, value := range held(c) {
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
