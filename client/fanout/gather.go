package fanout

import (
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

// Output is what a host has written, as an io.Writer that keeps it.
type Output struct {
	Host string
	spool
}

// Outputs are those of many hosts, for Gather.
type Outputs struct{ store store }

// New is a host's, empty.
func (o *Outputs) New(host string) *Output {
	return &Output{Host: host, spool: *newSpool(&o.store)}
}

// Close forgets them all.
func (o *Outputs) Close() { o.store.close() }

// Style says how gathered outputs are shown.
type Style struct {
	What  string // after the names; "": standard output
	Diff  bool   // all but the commonest as a difference from that
	Safe  bool   // a terminal shows it
	Color bool
}

// showGathered shows equal outputs once, standard error first.
func (f *fleet) showGathered() {
	if !f.Gather {
		return
	}
	var out, complaints []*Output
	for _, h := range f.hosts {
		out, complaints = append(out, h.out), append(complaints, h.complaints)
	}
	style := func(to *os.File, what string) Style {
		return Style{what, f.Diff, isTerminal(to), f.Color && isTerminal(to)}
	}
	for _, err := range []error{
		Gather(f.Stderr, complaints, style(f.Stderr, " (standard error)")),
		Gather(f.Stdout, out, style(f.Stdout, "")),
	} {
		if err != nil {
			f.unread(err)
		}
	}
}

// Gather shows equal outputs once, under the names of their hosts, the commonest first. Hosts that
// wrote nothing are left out. The error is that of the writer.
func Gather(to io.Writer, outputs []*Output, s Style) error {
	groups := map[string][]*Output{}
	for _, o := range outputs {
		if o != nil && o.size > 0 {
			key := string(o.sum.Sum(nil))
			groups[key] = append(groups[key], o)
		}
	}
	var all [][]*Output
	for _, g := range groups {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b []*Output) int {
		return cmp.Or(len(b)-len(a), nodeset.Compare(a[0].Host, b[0].Host))
	})
	for i, g := range all {
		var names []string
		for _, o := range g {
			names = append(names, o.Host)
		}
		head := fmt.Sprintf("%s (%d)%s", terminal.Printable(nodeset.Of(names...).Fold()),
			len(names), s.What)
		compared := s.Diff && i > 0 && all[0][0].size <= mostToDiff && g[0].size <= mostToDiff
		if compared {
			head += ", as it differs from the first"
		}
		if s.Color {
			head = "\x1b[1m" + head + "\x1b[0m"
		}
		rule := strings.Repeat("-", 15)
		if _, err := fmt.Fprintf(to, "%s\n%s\n%s\n", rule, head, rule); err != nil {
			return err
		}
		out := &lines{to: to, safe: s.Safe}
		var from io.Reader = g[0].reader()
		if compared {
			from = strings.NewReader(diff(linesOf(all[0][0]), linesOf(g[0])))
		}
		if _, err := io.Copy(out, from); err != nil {
			return err
		}
		if err := out.end(); err != nil {
			return err
		}
	}
	return nil
}

// linesOf are the lines of an output.
func linesOf(o *Output) (all []string) {
	text, _ := io.ReadAll(o.reader())
	for line := range strings.Lines(string(text)) {
		all = append(all, strings.TrimSuffix(line, "\n"))
	}
	return all
}
