package prompt

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"minissh/client/dial"
	"minissh/client/editor"
	"minissh/client/fanout"
	"minissh/client/nodeset"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol/mux"
)

// Host is one of many that a prompt is for.
type Host struct {
	Name string // as it was named
	Conn *dial.Connection
}

// OverMany is the prompt over the connections to many hosts, which the caller ends: each line runs
// on all of them, each in a shell of its own, and equal outputs are shown once. expand gives the
// names of an expression with groups.
func OverMany(ctx context.Context, hosts []Host, expand func(string) (*nodeset.Set, error),
	cfg Config) (int, error) {
	cfg.fillIn()
	m := &many{expand: expand, safe: newFace(&cfg).terminal != nil, color: newFace(&cfg).color}
	for _, h := range hosts {
		r := &runner{conn: h.Conn, attached: make(chan struct{})}
		r.shell = r.beginShell()
		r.watchLink()
		m.members = append(m.members, &member{name: h.Name, runner: r, chosen: true})
	}
	first := hosts[0].Conn
	cfg.Runner, cfg.Where = m, m.where
	cfg.User, cfg.Dir, cfg.Home = first.Welcome.User, m.dir(), first.Welcome.Home
	cfg.Quiet = first.Options.LogLevel == options.LevelQuiet
	code, err := Loop(ctx, cfg)
	var all sync.WaitGroup
	for _, one := range m.members {
		if !one.gone {
			all.Go(one.runner.leave)
		}
	}
	all.Wait()
	return code, err
}

// many runs the lines of a prompt on many hosts.
type many struct {
	expand      func(string) (*nodeset.Set, error)
	members     []*member
	safe, color bool // for a terminal

	mu   sync.Mutex // guards the rest
	runs []*member  // a line does
}

// member is one host. Its fields belong to Run, but for the runner.
type member struct {
	name   string
	runner *runner
	chosen bool
	gone   bool // its session has ended
	dir    []byte
}

// Attach is Runner's.
func (m *many) Attach(stdout, stderr io.Writer) {
	for _, one := range m.members {
		one.runner.Attach(fanout.NewLines(stdout, one.name), fanout.NewLines(stderr, one.name))
	}
}

// Exits is Runner's: the shells end with the prompt.
func (m *many) Exits() bool { return false }

// Suspend is Runner's.
func (m *many) Suspend() bool { return false }

// Interrupt is Runner's.
func (m *many) Interrupt(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range m.runs {
		go one.runner.Interrupt(n)
	}
}

// among are those that are there, and with chosen that lines are for.
func (m *many) among(chosen bool) (names []string) {
	for _, one := range m.members {
		if !one.gone && (one.chosen || !chosen) {
			names = append(names, one.name)
		}
	}
	return names
}

// where is what the prompt shows: the hosts that the next line is for.
func (m *many) where() string {
	names := m.among(true)
	return fmt.Sprintf("%s (%d)", nodeset.Of(names...).Fold(), len(names))
}

// dir is the directory where all are; nil: they differ, or it is unknown.
func (m *many) dir() []byte {
	var dir []byte
	for _, one := range m.members {
		at := cmp.Or(string(one.dir), string(one.runner.conn.Welcome.Home))
		switch {
		case one.gone || !one.chosen:
		case dir == nil:
			dir = []byte(at)
		case string(dir) != at:
			return nil
		}
	}
	return dir
}

// Run is Runner's. @EXPRESSION before a line narrows that line, and alone all that follow; @ alone
// is for all.
func (m *many) Run(ctx context.Context, line string, stdout, stderr io.Writer) (Outcome, error) {
	on := m.among(true)
	if expression, narrows := strings.CutPrefix(strings.TrimSpace(line), "@"); narrows {
		expression, rest := cutWord(expression)
		narrowed, err := m.narrow(expression)
		if err != nil {
			return Outcome{}, &editor.LineError{Err: err}
		}
		if line = strings.TrimSpace(rest); line == "" {
			for _, one := range m.members {
				one.chosen = slices.Contains(narrowed, one.name)
			}
			return Outcome{Dir: m.shownDir()}, nil
		}
		on = narrowed
	}
	var members []*member
	for _, one := range m.members {
		if slices.Contains(on, one.name) {
			members = append(members, one)
		}
	}
	return m.runOn(ctx, members, line, stdout, stderr)
}

// narrow are the hosts of an expression: a group, or names.
func (m *many) narrow(expression string) ([]string, error) {
	there := m.among(false)
	if expression == "" {
		return there, nil
	}
	set, err := m.expand("@" + expression)
	if err != nil {
		var named error
		if set, named = m.expand(expression); named != nil {
			return nil, err
		}
	}
	there = slices.DeleteFunc(there, func(name string) bool { return !set.Has(name) })
	if len(there) == 0 {
		return nil, report.Failed(err, "@ alone is for all again",
			"no host here is meant by %s", terminal.Printable(expression))
	}
	return there, nil
}

// shownDir is dir for an Outcome, in which nil means: as before.
func (m *many) shownDir() []byte {
	if dir := m.dir(); dir != nil {
		return dir
	}
	return []byte("…")
}

// runOn runs a line on hosts.
func (m *many) runOn(ctx context.Context, members []*member, line string, stdout,
	stderr io.Writer) (Outcome, error) {
	started := time.Now()
	m.set(members)
	defer m.set(nil)
	var outputs fanout.Outputs
	defer outputs.Close()
	out, complaints := make([]*fanout.Output, len(members)), make([]*fanout.Output, len(members))
	outcomes, errs := make([]Outcome, len(members)), make([]error, len(members))
	var all sync.WaitGroup
	for i, one := range members {
		out[i], complaints[i] = outputs.New(one.name), outputs.New(one.name)
		all.Go(func() {
			outcomes[i], errs[i] = one.runner.Run(ctx, line, &whole{to: out[i]},
				&whole{to: complaints[i]})
		})
	}
	all.Wait()
	fanout.Gather(stderr, complaints, fanout.Style{What: " (standard error)", Safe: m.safe,
		Color: m.color})
	fanout.Gather(stdout, out, fanout.Style{Safe: m.safe, Color: m.color})
	return m.outcome(members, outcomes, errs, started)
}

func (m *many) set(members []*member) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.runs = members
}

// outcome is how a line ended on all its hosts: the worst code, and who failed how.
func (m *many) outcome(members []*member, outcomes []Outcome, errs []error,
	started time.Time) (Outcome, error) {
	result := Outcome{Duration: time.Since(started)}
	causes := map[string][]string{}
	for i, one := range members {
		code, cause := outcomes[i].Code, ""
		var line *editor.LineError
		switch {
		case errs[i] == nil && code != 0:
			cause = fmt.Sprintf("exit %d", code)
		case errors.As(errs[i], &line):
			code, cause = ExitLost, strings.ReplaceAll(line.Error(), one.name, "…")
		case errs[i] != nil:
			one.gone = true
			code, cause = ExitLost, gone(one, errs[i])
		}
		if outcomes[i].Dir != nil {
			one.dir = outcomes[i].Dir
		}
		if cause != "" {
			causes[cause] = append(causes[cause], one.name)
		}
		for _, note := range outcomes[i].Notes {
			causes[note] = append(causes[note], one.name)
		}
		result.Code = max(result.Code, code)
	}
	for cause, names := range causes {
		if len(causes) > 1 || len(names) < len(members) || !strings.HasPrefix(cause, "exit ") {
			result.Notes = append(result.Notes, fmt.Sprintf("%s (%d): %s",
				nodeset.Of(names...).Fold(), len(names), cause))
		}
	}
	slices.Sort(result.Notes)
	if len(m.among(false)) == 0 {
		return result, report.Failed(nil, "", "no host is left")
	}
	if len(m.among(true)) == 0 {
		for _, one := range m.members {
			one.chosen = true
		}
		result.Notes = append(result.Notes, "none of the hosts that were chosen is left: what "+
			"follows is for all")
	}
	result.Dir = m.shownDir()
	return result, nil
}

// gone is why a host is not there any more.
func gone(one *member, err error) string {
	var end *endError
	if errors.As(err, &end) {
		return "its shell has ended; it is not among the hosts any more"
	}
	var lost *mux.LinkLost
	if errors.As(err, &lost) {
		return "its link is lost; it is not among the hosts any more"
	}
	return strings.ReplaceAll(err.Error(), one.runner.conn.Options.Alias, "…") +
		"; it is not among the hosts any more"
}

// whole takes any number of concurrent writes.
type whole struct {
	mu sync.Mutex
	to io.Writer
}

func (w *whole) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(bytes.Clone(p))
}
