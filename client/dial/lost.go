package dial

import (
	"errors"
	"fmt"
	"io"
	"time"

	"minissh/client/options"
	"minissh/client/report"
)

// Quiet is how long a person at a terminal is told nothing of a link that was lost: most come back
// sooner.
const Quiet = 2 * time.Second

// announce tells of lost links on standard error: to a person after a while, to a program at once.
// It is what Watch has done first.
func (d *Dialer) announce() func(*Loss) {
	var later *time.Timer
	var told *Loss
	return func(loss *Loss) {
		switch {
		case loss != nil && d.Messages.Interactive():
			later = time.AfterFunc(Quiet-time.Since(loss.Since), func() {
				told = loss
				d.Messages.Say(options.LevelInfo, "%s; Ctrl-C gives up",
					loss.Words(d.Options.Alias))
			})
		case loss != nil:
			told = loss
			d.Messages.Say(options.LevelInfo, "%s", loss.Words(d.Options.Alias))
		case later != nil && later.Stop():
		case told != nil:
			d.Messages.Say(options.LevelInfo, "the link to %s is back%s", d.Options.Alias,
				longer(" after ", time.Since(told.Since), ""))
			told = nil
		}
	}
}

// Words says that the link was lost, how long ago and why, and for how long a new one is tried for.
func (l *Loss) Words(host string) string {
	why := report.Plain(l.Cause)
	if errors.Is(why, io.EOF) {
		why = errors.New("it was closed on the way")
	}
	return fmt.Sprintf("the link to %s was lost%s: %v; trying for a new one for %s", host,
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
