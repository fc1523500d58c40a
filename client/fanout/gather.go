package fanout

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"minissh/client/nodeset"
	"minissh/client/terminal"
)

// mostToDiff is how many bytes of output are compared line by line.
const mostToDiff = 256 << 10

// group are hosts with the same output.
type group struct {
	names  []string
	output *spool
}

// showGathered shows equal outputs once, standard error first.
func (f *fleet) showGathered() {
	if !f.Gather {
		return
	}
	f.gathered(f.Stderr, " (standard error)", func(h *host) *spool { return h.complaints })
	f.gathered(f.Stdout, "", func(h *host) *spool { return h.out })
}

// gathered shows one stream of all hosts, the commonest output first.
func (f *fleet) gathered(to *os.File, what string, of func(*host) *spool) {
	groups := map[string]*group{}
	for _, h := range f.hosts {
		output := of(h)
		if output == nil || output.size == 0 {
			output.close()
			continue
		}
		key := string(output.sum.Sum(nil))
		if groups[key] == nil {
			groups[key] = &group{output: output}
		} else {
			output.close()
		}
		groups[key].names = append(groups[key].names, h.name)
	}
	var all []*group
	for _, g := range groups {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b *group) int {
		return cmp.Or(len(b.names)-len(a.names), nodeset.Compare(a.names[0], b.names[0]))
	})
	for i, g := range all {
		rule := strings.Repeat("-", 15)
		head := fmt.Sprintf("%s (%d)%s", terminal.Printable(nodeset.Of(g.names...).Fold()),
			len(g.names), what)
		compared := f.Diff && i > 0 && all[0].output.size <= mostToDiff &&
			g.output.size <= mostToDiff
		if compared {
			head += ", as it differs from the first"
		}
		if f.Color && isTerminal(to) {
			head = "\x1b[1m" + head + "\x1b[0m"
		}
		fmt.Fprintf(to, "%s\n%s\n%s\n", rule, head, rule)
		if compared {
			for _, line := range diff(linesOf(all[0].output), linesOf(g.output)) {
				writeLine(to, []byte(line))
			}
			continue
		}
		f.copyOut(to, g.output)
	}
	for _, g := range all {
		g.output.close()
	}
}

// linesOf are the lines of an output.
func linesOf(s *spool) (all []string) {
	text, _ := io.ReadAll(s.reader())
	for line := range strings.Lines(string(text)) {
		all = append(all, strings.TrimSuffix(line, "\n"))
	}
	return all
}

// copyOut writes an output as it is, or for a terminal line by line.
func (f *fleet) copyOut(to *os.File, s *spool) {
	l := &lines{s: f.screen, to: to, safe: isTerminal(to)}
	if _, err := io.Copy(l, s.reader()); err == nil {
		l.end()
	}
}

// writeLine writes one line, safe for a terminal if it is one.
func writeLine(to *os.File, line []byte) {
	if isTerminal(to) {
		line = []byte(shown(line))
	}
	to.Write(append(bytes.Clone(line), '\n'))
}
