package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"minissh/client/completion"
	"minissh/client/dial"
	"minissh/client/fanout"
	"minissh/client/groups"
	"minissh/client/nodeset"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol"
)

// hostsFlags choose hosts, for each verb that takes many.
var hostsFlags = []completion.Flag{
	{Name: "--hosts", Argument: true, Usage: "the hosts, one a line, in place of HOSTS; so does -"},
	{Name: "-x", Argument: true, Value: "HOSTS", Usage: "leave these out"},
	{Name: "--failed", Usage: "those that failed in the last run, in place of HOSTS"},
	{Name: "--fanout", Argument: true, Value: "N", Usage: "so many hosts at the same time"},
	{Name: "--connect-timeout", Argument: true, Value: "TIME", Usage: "to reach a host (20 s)"},
}

// onFlags are the own flags of `minissh on`, besides ssh's.
var onFlags = slices.Concat(hostsFlags, []completion.Flag{
	{Name: "--rolling", Argument: true, Value: "N|P%", Usage: "in batches, on only if all are well"},
	{Name: "--max-fail", Argument: true, Value: "N|P%", Usage: "begin no more when more have failed"},
	{Name: "--retries", Argument: true, Value: "N", Usage: "more tries to reach a host"},
	{Name: "--gather", Usage: "or -b: equal outputs once, at the end"},
	{Name: "--diff", Usage: "--gather, and others as a difference"},
	{Name: "--dir", Argument: true, Value: "DIR", Usage: "DIR/HOST.out, .err, .json; none is shown"},
	{Name: "--json", Usage: "a line for each host, with its output"},
	{Name: "--stdin", Usage: "standard input goes to all"},
	{Name: "--worst", Usage: "exit with the largest code"},
})

// gatherLetter is --gather.
const gatherLetter = "-b"

// takesOf are the flags, and whether each takes a value.
func takesOf(flags []completion.Flag) map[string]bool {
	takes := map[string]bool{gatherLetter: false}
	for _, f := range flags {
		takes[f.Name] = f.Argument
	}
	return takes
}

// many are the hosts of a command line, and how each is reached.
type many struct {
	*options.Mixed
	names []string
}

// on is `minissh on [options] HOSTS command…`.
func on(words []string) error {
	m, err := manyHosts("on", onFlags, words)
	if err != nil {
		return err
	}
	if len(m.Command) == 0 {
		return &report.Failure{What: "minissh on needs a command",
			Advice: "minissh on HOSTS COMMAND; minissh prompt on HOSTS offers a prompt"}
	}
	cfg, err := m.config()
	if err != nil {
		return err
	}
	return exitCode(fanout.Run(*cfg))
}

// manyHosts takes a command line apart, and judges what can be judged before a host is reached.
func manyHosts(verb string, flags []completion.Flag, words []string) (*many, error) {
	mixed, err := split(flags, words)
	if err != nil {
		return nil, err
	}
	m := &many{Mixed: mixed}
	if slices.Contains(m.Options, helpFlag) {
		return nil, errHelp
	}
	for _, flag := range []string{"--failed", "--hosts"} {
		if m.Has(flag) && m.Host != "" {
			return nil, &report.Failure{What: fmt.Sprintf("%s comes in place of HOSTS, and %s is "+
				"before it", flag, protocol.Quote(m.Host)), Advice: "leave out one of them"}
		}
	}
	if m.Has("--failed") {
		last, err := fanout.ReadLast()
		if err != nil {
			return nil, err
		}
		failed, again, command := last.Texts()
		if len(m.Command) == 0 && verb == "on" { // the same again
			words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "--" })
			words = slices.Concat(again, words, []string{"--"}, command)
			if m.Mixed, err = split(flags, words); err != nil {
				return nil, err
			}
		}
		if m.names = failed; len(m.names) == 0 {
			return nil, &report.Failure{What: "no host failed in the last run",
				Advice: "minissh " + verb + " HOSTS …"}
		}
		fmt.Fprintf(os.Stderr, "minissh: on %s: %s\n",
			terminal.Printable(nodeset.Of(m.names...).Fold()),
			terminal.Printable(strings.Join(m.Command, " ")))
	} else if m.names, err = m.choose(verb); err != nil {
		return nil, err
	}
	if err := m.leaveOut(); err != nil {
		return nil, err
	}
	if len(m.names) == 0 {
		return nil, &report.Failure{What: "no host is left", Advice: hostsHint}
	}
	if value := m.Last("--connect-timeout"); value != "" {
		m.Options = append(m.Options, "-oConnectTimeout="+value)
	}
	return m, nil
}

// split takes a command line apart. HOSTS is not a word of it if something else names them.
func split(flags []completion.Flag, words []string) (*options.Mixed, error) {
	return options.SplitMixed(words, takesOf(flags),
		func(m *options.Mixed) bool { return m.Has("--failed") || m.Has("--hosts") })
}

// choose reads HOSTS, or what takes its place.
func (m *many) choose(verb string) ([]string, error) {
	expression := m.Host
	if expression == "-" {
		text, err := readHosts(os.Stdin, "standard input")
		if err != nil {
			return nil, err
		}
		expression = text
	}
	for _, path := range m.Own["--hosts"] {
		file, err := os.Open(path)
		if err != nil {
			return nil, report.Failed(err, "", "the hosts cannot be read: %s: %v",
				protocol.Quote(path), report.Plain(err))
		}
		text, err := readHosts(file, protocol.Quote(path))
		file.Close()
		if err != nil {
			return nil, err
		}
		expression += "\n" + text
	}
	if strings.TrimSpace(expression) == "" {
		return nil, &report.Failure{What: "minissh " + verb + " needs hosts",
			Advice: "minissh " + verb + " 'web[01-20],db1' …"}
	}
	set, err := expand(expression)
	if err != nil {
		return nil, err
	}
	return set.Names(), nil
}

// leaveOut is -x.
func (m *many) leaveOut() error {
	for _, expression := range m.Own["-x"] {
		set, err := expand(expression)
		if err != nil {
			return err
		}
		before := len(m.names)
		m.names = slices.DeleteFunc(m.names, func(name string) bool {
			return set.Has(name) || set.Has(hostAlone(name))
		})
		if len(m.names) == before {
			fmt.Fprintf(os.Stderr, "minissh: -x %s leaves nothing out\n",
				terminal.Printable(expression))
		}
	}
	return nil
}

// hostAlone is a name without user and port.
func hostAlone(name string) string {
	if parts := hostPort.FindStringSubmatch(name); parts != nil {
		return parts[2]
	}
	return name[strings.LastIndexByte(name, '@')+1:]
}

// readHosts reads names, of which # begins a comment.
func readHosts(from io.Reader, name string) (string, error) {
	text, err := io.ReadAll(io.LimitReader(from, mostHosts+1))
	if err != nil {
		return "", report.Failed(err, "", "the hosts cannot be read: %s: %v", name,
			report.Plain(err))
	}
	if len(text) > mostHosts {
		return "", report.Failed(nil, "", "%s has more than %d bytes", name, mostHosts)
	}
	var all strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		all.WriteString(line + "\n")
	}
	return all.String(), nil
}

// known are the groups of this user: in ~/.config/minissh/groups and the configuration.
func known() (*groups.Groups, error) {
	env := options.CurrentEnvironment()
	return groups.Read(filepath.Join(env.Home, ".config/minissh/groups"), env.ConfiguredHosts,
		map[string]func() (string, error){lanGroup: askLAN})
}

// bracketed is an IPv6 address as it comes before a port elsewhere.
var bracketed = regexp.MustCompile(`\[[0-9A-Fa-f]*:[0-9A-Fa-f:.%a-z]*\]`)

const hostsHint = "minissh hosts -e HOSTS shows what an expression means"

// expand reads an expression of hosts, with groups.
func expand(expression string) (*nodeset.Set, error) {
	if six := bracketed.FindString(expression); six != "" {
		return nil, &report.Failure{What: fmt.Sprintf("%s: brackets are for several names here",
			protocol.Quote(six)), Advice: "an IPv6 address comes without them, and its port from " +
			"-p or the configuration"}
	}
	known := sync.OnceValues(known)
	set, err := nodeset.Parse(expression, func(name string) (string, error) {
		g, err := known()
		if err != nil {
			return "", err
		}
		return g.Expression(name)
	})
	if err != nil {
		return nil, &report.Failure{What: err.Error(), Advice: hostsHint}
	}
	return set, nil
}

// hostPort is user@host:port, which ssh has no words for.
var hostPort = regexp.MustCompile(`^((?:[^@]*@)?)([^:@/]+):([0-9]{1,5})$`)

// optionsFor are the options of one host.
func (m *many) optionsFor(host string) []string {
	if hostPort.MatchString(host) {
		host = "ssh://" + host
	}
	return slices.Concat(m.Options, fromLAN[host], []string{"--", host}, m.Command)
}

// together are before the words that were typed: what the configuration wants beside each
// connection is for one alone.
var together = append(slices.Clone(options.JobVerbOptions), "-oRequestTTY=no")

// config is what the flags ask for.
func (m *many) config() (*fanout.Config, error) {
	if err := m.judge(); err != nil {
		return nil, err
	}
	typed, err := options.Parse(m.optionsFor(m.names[0]))
	if err != nil {
		return nil, err
	}
	if err := typed.RefuseOn(); err != nil {
		return nil, err
	}
	first, err := parse(slices.Concat(together, m.optionsFor(m.names[0])))
	if err != nil {
		return nil, err
	}
	if m.Has("--stdin") && typed.StdinNull {
		return nil, &report.Failure{What: "--stdin sends standard input, and -n does not read it",
			Advice: "leave out one of them"}
	}
	tellEnvironment(first)
	cfg := &fanout.Config{Hosts: m.names, Fanout: fanout.DefaultFanout(), Stdout: os.Stdout,
		Stderr: os.Stderr, Gather: m.Has("--gather") || m.Has(gatherLetter) || m.Has("--diff"),
		Diff: m.Has("--diff"), JSON: m.Has("--json"), Worst: m.Has("--worst"), Dir: m.Last("--dir"),
		Color: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		Quiet: first.LogLevel == options.LevelQuiet,
		Again: func(string) string { return "minissh on --failed" }}
	if m.Has("--stdin") {
		cfg.Stdin = os.Stdin
	}
	if messages != os.Stderr { // -E, -y
		cfg.Log = messages
	}
	cfg.Save = func(failed []string) {
		fanout.SaveLast(fanout.NewLast(failed, m.words(), m.Command))
	}
	for name, to := range map[string]*int{"--fanout": &cfg.Fanout, "--retries": &cfg.Retries} {
		if value := m.Last(name); value != "" {
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 || n == 0 && name == "--fanout" {
				return nil, notANumber(name, value)
			}
			*to = n
		}
	}
	for name, to := range map[string]**fanout.Count{"--rolling": &cfg.Rolling,
		"--max-fail": &cfg.MaxFail} {
		if value := m.Last(name); value != "" {
			count, ok := fanout.ParseCount(value)
			if !ok || name == "--rolling" && count.N == 0 {
				return nil, notANumber(name, value)
			}
			*to = &count
		}
	}
	cfg.Dialer = m.dialer(first)
	return cfg, nil
}

func notANumber(name, value string) error {
	return &report.Failure{What: fmt.Sprintf("%s: %s is not a number of hosts that will do", name,
		protocol.Quote(value)), Advice: "minissh on --help"}
}

// judge refuses what does not go together.
func (m *many) judge() error {
	shown := 0
	for _, name := range []string{"--json", "--dir"} {
		if m.Has(name) {
			shown++
		}
	}
	switch {
	case (m.Has("--gather") || m.Has(gatherLetter) || m.Has("--diff")) && shown > 0:
		return &report.Failure{What: "--gather shows the output, and --dir and --json do not",
			Advice: "leave out one of them"}
	case m.Has("--stdin") && m.Host == "-":
		return &report.Failure{What: "standard input has the hosts, and cannot go to them, too",
			Advice: "--hosts FILE reads them from a file"}
	}
	return nil
}

// defaultConnectTimeout is how long a host may take to be reached if nobody says otherwise.
const defaultConnectTimeout = 20 * time.Second

// dialer makes the Dialer of each host. first are the options of the first one.
func (m *many) dialer(first *options.Options) func(string) (*dial.Dialer, error) {
	return func(host string) (*dial.Dialer, error) {
		o := first
		if host != m.names[0] {
			var err error
			if o, err = options.Parse(slices.Concat(together, m.optionsFor(host))); err != nil {
				return nil, err
			}
			if err := o.Refuse(); err != nil {
				return nil, err
			}
		}
		if o.ConnectTimeout == 0 {
			o.ConnectTimeout = defaultConnectTimeout
		}
		d := &dial.Dialer{Options: o, Software: software}
		if !o.BatchMode {
			d.Ask = terminal.Questions{}
		}
		return d, nil
	}
}

// words are the options of a command line, without those that choose its hosts.
func (m *many) words() []string {
	words := slices.Clone(m.Options)
	takes := takesOf(onFlags)
	for _, f := range append(slices.Clone(onFlags), completion.Flag{Name: gatherLetter}) {
		if !m.Has(f.Name) || slices.Contains([]string{"--failed", "--hosts", "-x"}, f.Name) {
			continue
		}
		words = append(words, f.Name)
		if takes[f.Name] {
			words = append(words, m.Last(f.Name))
		}
	}
	return words
}
