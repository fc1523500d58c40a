package dial

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"minissh/client/options"
	"minissh/client/report"
)

// Quiet is how long a person at a terminal is told nothing of a link that was lost: most come back
// sooner.
const Quiet = 2 * time.Second

// Announcer tells of lost links in lines, each with say: to a person after Quiet, together with
// what gives up, to a program (giveUp "") at once. It is for Watch.
func Announcer(host, giveUp string, say func(line string)) func(*Loss) {
	var mu sync.Mutex // guards the rest
	var later *time.Timer
	var now, told *Loss
	return func(loss *Loss) {
		mu.Lock()
		defer mu.Unlock()
		if loss == now {
			return // somebody began to watch
		}
		now = loss
		switch {
		case loss != nil && giveUp != "":
			later = time.AfterFunc(Quiet-time.Since(loss.Since), func() {
				mu.Lock()
				defer mu.Unlock()
				if later != nil {
					told = loss
					say(loss.Words(host) + "; " + giveUp)
				}
			})
		case loss != nil:
			told = loss
			say(loss.Words(host))
		default:
			if told != nil {
				say(fmt.Sprintf("the link to %s is back%s", host,
					longer(" after ", time.Since(told.Since), "")))
			}
			if later != nil {
				later.Stop()
			}
			later, told = nil, nil
		}
	}
}

// announce makes a Connection's Announce.
func (d *Dialer) announce() func(*Loss) {
	giveUp := ""
	if d.Messages.Interactive() {
		giveUp = "Ctrl-C gives up"
	}
	return Announcer(d.Options.Alias, giveUp, func(line string) {
		d.Messages.Say(options.LevelInfo, "%s", line)
	})
}

// Words says that the link was lost, how long ago and why, and for how long a new one is tried for.
func (l *Loss) Words(host string) string {
	why := report.Plain(l.Cause)
	if errors.Is(why, io.EOF) {
		why = errors.New("it was closed on the way")
	}
	return fmt.Sprintf("the link to %s was lost%s: %v; trying for a new one for up to %s", host,
		longer(" ", time.Since(l.Since), " ago"), why, InWords(time.Until(l.Until)))
}

// longer is a time between words, "" if it is less than a second.
func longer(before string, d time.Duration, after string) string {
	if d < time.Second {
		return ""
	}
	return before + InWords(d) + after
}

// InWords is a time for people, in its largest unit.
func InWords(d time.Duration) string {
	switch d = max(d, 0).Round(time.Second); {
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Round(time.Hour).Hours()))
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", int(d.Round(time.Minute).Minutes()))
	case d == time.Second:
		return "1 second"
	}
	return fmt.Sprintf("%d seconds", int(d.Seconds()))
}
