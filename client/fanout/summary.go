package fanout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"minissh/client/nodeset"
	"minissh/client/terminal"
	"minissh/protocol"
)

// group are hosts that failed alike.
type group struct {
	cause, hint string
	names       []string
}

// summary tells what failed, by cause, and what to type; on a terminal also that all went well.
func (f *fleet) summary(took time.Duration) {
	var failed []string
	found := map[string]*group{}
	for _, h := range f.hosts {
		if h.cause == "" {
			continue
		}
		failed = append(failed, h.name)
		if found[h.cause] == nil {
			found[h.cause] = &group{cause: h.cause, hint: h.hint}
		}
		found[h.cause].names = append(found[h.cause].names, h.name)
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
	var all []*group
	for _, g := range found {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b *group) int {
		return cmp.Or(len(b.names)-len(a.names), strings.Compare(a.cause, b.cause))
	})
	f.screen.say("%d of %d failed, %s:", len(failed), len(f.hosts), inWords(took))
	for _, g := range all {
		f.screen.say("  %s (%d): %s", folded(g.names), len(g.names), g.cause)
	}
	if len(all) == 1 && len(all[0].names) == 1 && all[0].hint != "" {
		f.screen.say("hint: %s", all[0].hint)
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
