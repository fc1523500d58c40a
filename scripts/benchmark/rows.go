//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// row is one kind of work. run measures all its contenders; it returns what it could measure also
// when one failed.
type row struct {
	name   string
	title  string
	rounds int
	run    func(context.Context, *lab) result
}

// result is a row's outcome.
type result struct {
	Name   string    `json:"row"`
	Title  string    `json:"title"`
	Unit   string    `json:"unit"`
	Series []*series `json:"series"`
	Checks []check   `json:"checks"`
	Notes  []string  `json:"notes,omitempty"`
}

// find returns the series of a contender, or nil.
func (r *result) find(name string) *series {
	if i := slices.IndexFunc(r.Series, func(s *series) bool { return s.Name == name }); i >= 0 {
		return r.Series[i]
	}
	return nil
}

// ours returns minissh's series, or nil.
func (r *result) ours() *series {
	if i := slices.IndexFunc(r.Series, func(s *series) bool { return s.ours }); i >= 0 {
		return r.Series[i]
	}
	return nil
}

// against adds the check of ours against one peer, when ours takes part in this run.
func (r *result) against(name string, target float64, atMost bool) {
	if ours := r.ours(); ours != nil {
		c := ratio(ours, r.find(name), target, atMost)
		c.What = "of " + name
		r.Checks = append(r.Checks, c)
	}
}

// resumeOff is minissh with sessions that end with their link.
const resumeOff = "minissh, ResumeFor=0"

// notResuming are the client's options of resumeOff.
var notResuming = []string{"-o", "ResumeFor=0"}

// againstItself adds resumingCheck, when minissh takes part in this run.
func (r *result) againstItself() {
	if ours := r.ours(); ours != nil {
		r.Checks = append(r.Checks, resumingCheck(ours, r.find(resumeOff)))
	}
}

// resumingCheck is that resuming costs at most 5 % of the time.
func resumingCheck(on, off *series) check {
	c := paired(on, off, 1.05)
	c.What = "of " + resumeOff + ", pair by pair"
	return c
}

// rows is every kind of work, in the order of the report. A new one is a file row_NAME.go and a
// line here.
func rows() []row {
	return []row{
		{"cold", "`true` on a cold connection", 101, runCold},
		{"far", "the same at a long round trip (delay relay in user space), after TCP's own", 5, runFar},
		{"warm", "`true`: OpenSSH over a ControlMaster, minissh on a cold connection", 30, runWarm},
		{"echo", "a keystroke through a pty, from the user's terminal to the program there and back", 1500, runEcho},
		{"prompt", "`true` at minissh's prompt, and at a shell with OpenSSH over a ControlMaster", 50, runPrompt},
		{"resume", "how long after the network's return a key is shown, and output comes", 5, runResume},
		{"out", "a bulk stream to the client's standard output", 3, runOut},
		{"in", "a bulk stream from the client's standard input", 3, runIn},
		{"stream", "a stream at a long round trip (delay relay in user space), once it flows", 3, runStream},
		{"idle", "memory of the daemon for an idle session", 1, runIdle},
		{"file", "one large file to the other side", 3, runFile},
		{"small", "10,000 small files to the other side", 3, runSmall},
		{"filefar", "a file of 128 MiB at a long round trip (delay relay in user space)", 1, runFileFar},
		{"smallfar", "100 small files at a long round trip (delay relay in user space)", 1, runSmallFar},
		{"scpput", "one large file to the other side by scp, with ssh and with minissh under it", 3, runScpPut},
		{"scpget", "the same from the other side", 3, runScpGet},
		{"sshfs", "10,000 files looked at over sshfs, with ssh and with minissh under it", 3, runSSHFS},
		{"forward", "a bulk stream through a local forward (-L)", 3, runForward},
		{"connects", "1,000 short connections through one, 10 at a time", 3, runConnects},
		{"jump", "`true` through a jump host (-J) at a long round trip, after TCP's own", 5, runJump},
		{"many", "200 commands, 16 at a time", 3, runMany},
		{"hosts", "`true` on a hundred hosts, by programs that are made for that", 3, runHosts},
	}
}

func printRows(w io.Writer) {
	for _, r := range rows() {
		fmt.Fprintf(w, "  %-8s %s (%d rounds)\n", r.name, r.title, r.rounds)
	}
}

// chooseRows returns the named rows in the report's order, all of them for no name.
func chooseRows(names []string) ([]row, error) {
	all := rows()
	var known []string
	for _, r := range all {
		known = append(known, r.name)
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, fmt.Errorf("no row is called %q; there are %s", n,
				strings.Join(known, ", "))
		}
	}
	return slices.DeleteFunc(all,
		func(r row) bool { return len(names) > 0 && !slices.Contains(names, r.name) }), nil
}

// rounds is the command line's choice or the row's own number.
func (l *lab) rounds(name string) int {
	if l.o.rounds > 0 {
		return l.o.rounds
	}
	all := rows()
	return all[slices.IndexFunc(all, func(r row) bool { return r.name == name })].rounds
}

// contenders makes one contender for each running peer.
func (l *lab) contenders(run func(context.Context, *peer) (float64, error)) []contender {
	var cs []contender
	for _, p := range l.peers {
		cs = append(cs, contender{p.id, p.ours(), func(ctx context.Context) (float64, error) {
			return run(ctx, p)
		}})
	}
	return cs
}

// withoutResuming makes the contender resumeOff of the row, if minissh takes part in this run.
func (l *lab) withoutResuming(run func(context.Context, *peer) (float64, error)) []contender {
	p := l.find("minissh")
	if p == nil {
		return nil
	}
	return []contender{{name: resumeOff, run: func(ctx context.Context) (float64, error) {
		return run(ctx, p)
	}}}
}
