package main

import (
	"log/slog"
	"slices"

	"github.com/urfave/cli/v2"

	"minissh/daemon/authorized"
	"minissh/daemon/logins"
)

// logins are the machine's books, in which root's daemon records who is on its terminals; nil: they
// are not this daemon's.
func (s *settings) logins(log *slog.Logger) *logins.Book {
	if !s.all {
		return nil
	}
	return logins.Open(logins.System, log)
}

// banners says which banners cannot be shown.
func (k *check) banners(c *cli.Context, set *settings, conf *configuration) {
	files := []string{c.String("banner")}
	for _, v := range conf.settings {
		if v.flag == "banner" && v.unused == "" && !slices.Contains(files, v.values[0]) {
			files = append(files, v.values[0])
		}
	}
	for _, file := range files {
		if file == "" || file == "none" {
			continue
		}
		if _, err := authorized.Read(file, authorized.Owner{UID: set.account.UID}); err != nil {
			k.say("banner %s:", shown(file))
			k.refused("  ", err)
			k.wrong = append(k.wrong, "a banner cannot be shown")
		}
	}
}
