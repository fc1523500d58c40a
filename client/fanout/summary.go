package fanout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"minissh/client/nodeset"
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol"
)

// cause are hosts that failed alike.
type cause struct {
	what  string
	names []string
	hint  string
}

// summary tells what failed, by cause, and what to type; on a terminal also that all went well.
func (f *fleet) summary(took time.Duration) {
	var failed []string
	found := map[string]*cause{}
	for _, h := range f.hosts {
		what, hint := h.why()
		if what == "" {
			continue
		}
		failed = append(failed, h.name)
		if found[what] == nil {
			found[what] = &cause{what: what, hint: hint}
		}
		found[what].names = append(found[what].names, h.name)
	}
	if f.Save != nil {
		f.Save(failed)
	}
	if f.Quiet {
		return
	}
	if len(failed) == 0 {
		if isTerminal(f.Stderr) && len(f.hosts) > 1 {
			f.screen.say("all well on %d hosts, %s", len(f.hosts), inWords(took))
		}
		return
	}
	var all []*cause
	for _, c := range found {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *cause) int {
		return cmp.Or(len(b.names)-len(a.names), strings.Compare(a.what, b.what))
	})
	f.screen.say("%d of %d failed, %s:", len(failed), len(f.hosts), inWords(took))
	for _, c := range all {
		f.screen.say("  %s (%d): %s", terminal.Printable(nodeset.Of(c.names...).Fold()),
			len(c.names), c.what)
	}
	for _, c := range all[:min(len(all), 3)] {
		if c.hint != "" && len(found) == 1 {
			f.screen.say("hint: %s", c.hint)
		}
	}
	if f.Again != nil && len(failed) < len(f.hosts) {
		f.screen.say("hint: on those alone: %s",
			terminal.Printable(f.Again(nodeset.Of(failed...).Fold())))
	}
}

// inWords is a time, with its first decimal if it is short.
func inWords(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return protocol.InWords(d)
}

// why is the cause of a host's failure, in words that are the same for all hosts with that cause;
// "": it has not failed.
func (h *host) why() (what, hint string) {
	switch {
	case h.skipped != "":
		return "not begun: " + h.skipped, ""
	case h.err != nil:
		return h.cause(h.err.Error()), report.Hint(h.err)
	case len(h.left) > 0:
		return "stopped, but some of it could not be ended there", ""
	case h.record.How == protocol.HowDeadline:
		return "stopped at the time limit", ""
	case h.record.How == protocol.HowCancelled:
		return "stopped, and confirmed to have ended", ""
	case h.record.Signal != "":
		return "ended by signal " + protocol.Quote(h.record.Signal), ""
	case h.code != 0 && h.record.Code != nil:
		return fmt.Sprintf("exited with %d", *h.record.Code), ""
	case h.code != 0:
		return cmp.Or(h.cause(h.record.Message), "how it ended is unknown"), ""
	}
	return "", ""
}

// cause is a message without what is this host's alone.
func (h *host) cause(message string) string {
	if h.record.Failure == report.ClassHostKey {
		return "the host's key is not the one that is known, or not known"
	}
	names := []string{h.name, h.record.Host}
	if h.dialed != nil {
		names = append(names, h.dialed.Alias, h.dialed.HostName)
		message = strings.ReplaceAll(message, fmt.Sprintf("port %d", h.dialed.Port), "port …")
	}
	for _, name := range names {
		if name != "" {
			message = strings.ReplaceAll(message, name, "…")
		}
	}
	return message
}
